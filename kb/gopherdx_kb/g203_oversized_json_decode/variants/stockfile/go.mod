module example.com/stockfile

go 1.21
