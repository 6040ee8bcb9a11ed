"""What abbreviations, units and capitals stand for when English is read aloud.

Reads, writes: nothing.
"""

CURRENCIES = {"INR": ("rupee", "rupees", "paise"), "Rs": ("rupee", "rupees", "paise"), "₹": ("rupee", "rupees", "paise"),
              "USD": ("dollar", "dollars", "cents"), "$": ("dollar", "dollars", "cents"), "EUR": ("euro", "euros", "cents"),
              "€": ("euro", "euros", "cents"), "GBP": ("pound", "pounds", "pence"), "£": ("pound", "pounds", "pence")}
SHORT = {"mr": "Mister", "mrs": "Missis", "ms": "Miz", "dr": "Doctor", "prof": "Professor", "smt": "Shrimati",
         "e.g": "for example", "i.e": "that is", "etc": "et cetera", "vs": "versus", "a/c": "account",
         "approx": "approximately", "&": "and", "+": "plus", "=": "equals", "w/o": "without", "24/7": "twenty four seven"}
# Only with their dot: without it they are words, or could be
SHORT_WITH_DOT = {"ltd": "Limited", "pvt": "Private", "govt": "Government", "dept": "Department", "jr": "Junior",
                  "sr": "Senior", "rd": "Road", "ave": "Avenue", "capt": "Captain", "lt": "Lieutenant", "gen": "General",
                  "col": "Colonel", "hon": "Honourable", "rev": "Reverend", "est": "established", "inc": "Incorporated",
                  "ext": "extension"}
# Before a number
SHORT_BEFORE_NUMBER = {"no": "number", "nos": "numbers", "#": "number", "p": "page", "pp": "pages", "ph": "phone",
                       "tel": "telephone"}
# One and many, after a number
UNITS = {"km/h": ("kilometre an hour", "kilometres an hour"), "kmph": ("kilometre an hour", "kilometres an hour"),
         "mph": ("mile an hour", "miles an hour"), "km": ("kilometre", "kilometres"), "cm": ("centimetre", "centimetres"),
         "mm": ("millimetre", "millimetres"), "m": ("metre", "metres"), "kg": ("kilogram", "kilograms"),
         "mg": ("milligram", "milligrams"), "g": ("gram", "grams"), "ml": ("millilitre", "millilitres"),
         "l": ("litre", "litres"), "L": ("litre", "litres"), "ft": ("foot", "feet"), "lb": ("pound", "pounds"),
         "lbs": ("pound", "pounds"), "kB": ("kilobyte", "kilobytes"), "KB": ("kilobyte", "kilobytes"),
         "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"), "TB": ("terabyte", "terabytes"),
         "Hz": ("hertz", "hertz"), "kHz": ("kilohertz", "kilohertz"), "MHz": ("megahertz", "megahertz"),
         "GHz": ("gigahertz", "gigahertz"), "kW": ("kilowatt", "kilowatts"), "kWh": ("kilowatt hour", "kilowatt hours"),
         "W": ("watt", "watts"), "V": ("volt", "volts"), "°C": ("degree Celsius", "degrees Celsius"),
         "°F": ("degree Fahrenheit", "degrees Fahrenheit"), "°": ("degree", "degrees"), "hr": ("hour", "hours"),
         "hrs": ("hour", "hours"), "min": ("minute", "minutes"), "mins": ("minute", "minutes"), "sec": ("second", "seconds"),
         "secs": ("second", "seconds"), "ms": ("millisecond", "milliseconds"), "sq ft": ("square foot", "square feet")}
# Capitals that are words all the same; other two or three capitals in a row are letters, each with its name
WORDS_IN_CAPITALS = (
    "AM|AN|AND|ANY|ARE|AS|AT|BE|BUT|BY|CAN|DAY|DID|DO|DUE|FOR|GET|GO|HAD|HAS|HE|HER|HIM|HIS|HOW|IF|IN|IS|IT|ITS|LET|MAY|ME|MY|"
    "NEW|NO|NOT|NOW|OF|OFF|OH|OK|OLD|ON|ONE|OR|OUR|OUT|OWN|PAN|PAY|PIN|RAM|SAY|SEE|SHE|SIM|SO|THE|TO|TOO|TWO|UP|USE|VAT|WAS|WAY|"
    "WE|WHO|WHY|YES|YET|YOU")
LETTERS = "IFSC|ICICI|IMPS|UIDAI|HTML|HTTP|HTTPS|IDBI|NPCI|ATMS"  # longer ones that could be read as words
# After these a number is read digit by digit
NUMBERED = (
    "account|a/c|acct|card|pin|pin code|code|otp|id|reference|ref|phone|mobile|policy|invoice|ticket|extension|ending|"
    "ending in|ending with|flight|serial|pnr")
