module example.com/postbag

go 1.21
