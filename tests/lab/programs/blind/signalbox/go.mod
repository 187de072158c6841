module example.com/signalbox

go 1.21
