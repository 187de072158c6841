module example.com/solo

go 1.21
