module example.com/seals

go 1.21
