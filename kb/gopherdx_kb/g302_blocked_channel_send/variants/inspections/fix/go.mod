module example.com/inspections

go 1.21
