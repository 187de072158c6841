module example.com/bulletin

go 1.21
