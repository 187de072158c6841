module example.com/kiosk

go 1.21
