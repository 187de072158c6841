module example.com/reader_old

go 1.21
