module example.com/cornmarket

go 1.21
