module example.com/badges

go 1.21
