module example.com/herbarium

go 1.21
