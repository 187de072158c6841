module example.com/embassy

go 1.21
