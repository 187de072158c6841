module example.com/customs

go 1.21
