# Büro
uptime
