module example.com/grandstand

go 1.21
