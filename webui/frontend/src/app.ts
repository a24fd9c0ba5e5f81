import "htmx.org"; 
