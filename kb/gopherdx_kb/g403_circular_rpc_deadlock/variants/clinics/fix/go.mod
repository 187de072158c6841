module example.com/clinics

go 1.21
