module example.com/booth

go 1.21
