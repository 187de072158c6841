module example.com/dawns

go 1.21
