module example.com/totals

go 1.21
