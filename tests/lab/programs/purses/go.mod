module example.com/purses

go 1.21
