echo $Using:rack
