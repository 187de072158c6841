module example.com/granary

go 1.21
