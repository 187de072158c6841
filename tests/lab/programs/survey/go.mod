module example.com/survey

go 1.21
