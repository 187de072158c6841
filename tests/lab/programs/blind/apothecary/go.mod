module example.com/apothecary

go 1.21
