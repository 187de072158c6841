module example.com/couriers

go 1.21
