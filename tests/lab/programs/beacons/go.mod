module example.com/beacons

go 1.21
