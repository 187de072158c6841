module example.com/tariffs

go 1.21
