module example.com/vendors

go 1.21
