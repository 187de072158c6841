module example.com/markets

go 1.21
