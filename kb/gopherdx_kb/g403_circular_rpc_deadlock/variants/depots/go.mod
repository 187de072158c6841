module example.com/depots

go 1.21
