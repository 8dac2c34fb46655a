"""Tables for simple_english.py: what things are for, where they are, who uses them. One row a line, columns by "|"."""


def _rows(text, columns):
    """Splits a table; a row with a wrong number of columns is an error here, not an odd sentence later."""
    lines = text.strip().replace("\n    ", " ").splitlines()  # an indented line goes on with the row above
    rows = [tuple(cell.strip() for cell in line.split("|")) for line in lines]
    for row in rows:
        assert len(row) == columns, row
    return rows


GIRLS = """Anna Mia Lily Sara Emma Nora Ella Rosa Lucy Grace Alice Clara Maya Zoe Ruth Jane Kate Eva Ivy Leila Amina
    Priya
Hana Yuki Sofia Elena Marta Ines Carla Olga Vera Nina Tessa Holly Daisy Molly Amy Beth Julia Laura Helen Diana Fatima
Aisha Mei Greta Ingrid Paula Rita Stella""".split()
BOYS = """Tom Ben Max Leo Sam Jack Adam Noah Omar Ali Ravi Hugo Ivan Marco Paul Peter John Mark Luke David Daniel Simon
Oscar Felix Victor Henry George Frank Eric Carl Anton Pablo Diego Kenji Tariq Samir Jonas Lars Erik Finn Owen Theo Toby
Harry Will Neil Kofi Juan Dev Yusuf""".split()
SURNAMES = """Miller Brown Green Hill Wood Stone Baker Cook Fisher Carter Hunter Lane Marsh Field Young Bell Reed Cole
Grant Hart Kim Lopez Singh Khan Novak Silva Rossi Weber Berg Dubois Okoro Tanaka Chen Patel Costa Moreau
    Janssen""".split()
TOWNS = """Milton Ashford Greenhill Riverton Oakdale Westbay Northgate Lakeside Stonebridge Fairview Redfield Brookside
Hillcrest Maplewood Sandport Kingsmead Elmwood Springvale Eastbourne Harbourtown Whitecliff Longmeadow Silverlake Foxton
Birchwood Marlow Newport Coldwater Summerfield Rosedale""".split()
COLOURS = "red blue green yellow black white brown grey orange purple pink silver".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
NUMBERS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty""".split()
GOOD = "happy glad proud cheerful delighted pleased relieved thankful excited calm".split()
BAD = "sad worried upset nervous angry disappointed afraid lonely confused unhappy".split()
RELATIVES = "mother:f father:m sister:f brother:m grandmother:f grandfather:m aunt:f uncle:m cousin:m".split()

# Object: kind, material, use, where it is kept, shop, longest side in cm, price, quality.
THINGS = _rows(
    """
knife|kitchen tool|steel|cut bread and vegetables|in the kitchen drawer|kitchen shop|25|12|sharp
spoon|kitchen tool|metal|eat soup|in the kitchen drawer|kitchen shop|18|2|shiny
fork|kitchen tool|metal|eat noodles and salad|in the kitchen drawer|kitchen shop|19|2|clean
pan|kitchen tool|iron|fry eggs and fish|on the stove|kitchen shop|40|30|heavy
pot|kitchen tool|steel|cook soup and rice|on the stove|kitchen shop|30|28|deep
kettle|kitchen machine|steel|boil water for tea|beside the stove|kitchen shop|28|25|noisy
plate|dish|china|serve food|in the kitchen cupboard|kitchen shop|26|6|flat
cup|dish|china|drink tea or coffee|in the kitchen cupboard|kitchen shop|10|5|small
bowl|dish|china|eat cereal or soup|in the kitchen cupboard|kitchen shop|16|7|round
glass jar|container|glass|keep jam fresh|in the kitchen cupboard|kitchen shop|15|3|clear
bottle|container|glass|carry water|in the fridge|supermarket|30|2|tall
toaster|kitchen machine|metal and plastic|brown slices of bread|on the kitchen counter|electronics store|35|30|hot
fridge|kitchen machine|metal and plastic|keep food cold|in the kitchen|electronics store|180|400|cold
oven|kitchen machine|steel and glass|bake cakes and bread|in the kitchen|electronics store|60|350|hot
microwave|kitchen machine|metal and glass|warm up food quickly|on the kitchen counter|electronics store|50|90|quick
dishwasher|kitchen machine|steel and plastic|wash dirty dishes|under the kitchen counter|electronics store|85|380|useful
washing machine|household machine|steel and plastic|wash dirty clothes|in the bathroom|electronics store|86|420|loud
vacuum cleaner|household machine|plastic|clean the carpet|in the hall cupboard|electronics store|90|120|loud
iron|household machine|steel and plastic|make shirts smooth|in the laundry room|electronics store|28|35|hot
broom|cleaning tool|wood and straw|sweep the floor|in the hall cupboard|hardware store|140|9|long
mop|cleaning tool|cotton and wood|wash the floor|in the hall cupboard|hardware store|130|11|wet
bucket|container|plastic|carry water|in the shed|hardware store|35|6|strong
sponge|cleaning tool|soft plastic|wipe the table|beside the sink|supermarket|12|1|soft
hammer|tool|steel and wood|drive nails into wood|in the toolbox|hardware store|33|15|heavy
saw|tool|steel|cut wood|in the toolbox|hardware store|55|18|sharp
screwdriver|tool|steel and plastic|turn screws|in the toolbox|hardware store|22|8|handy
drill|tool|steel and plastic|make holes in a wall|in the toolbox|hardware store|30|75|noisy
ladder|tool|aluminium|climb up to the roof|in the garage|hardware store|300|80|tall
paintbrush|tool|wood and hair|paint walls|in the garage|hardware store|24|5|wide
tape measure|tool|steel and plastic|measure how long things are|in the toolbox|hardware store|8|7|handy
spade|garden tool|steel and wood|dig holes in the ground|in the shed|garden centre|110|22|strong
rake|garden tool|steel and wood|gather fallen leaves|in the shed|garden centre|150|17|wide
watering can|garden tool|metal|water the flowers|in the shed|garden centre|40|14|full
wheelbarrow|garden tool|metal and rubber|carry heavy soil|in the shed|garden centre|140|60|strong
lawnmower|garden machine|metal and plastic|cut the grass|in the shed|garden centre|120|200|noisy
flower pot|container|clay|grow a plant indoors|on the windowsill|garden centre|20|4|round
pencil|writing tool|wood and graphite|draw pictures|on the desk|stationery shop|18|1|thin
pen|writing tool|plastic and metal|sign letters|on the desk|stationery shop|14|2|blue
eraser|writing tool|rubber|remove pencil marks|in the pencil case|stationery shop|5|1|small
ruler|measuring tool|plastic|draw straight lines|in the pencil case|stationery shop|30|2|straight
notebook|paper product|paper|write down ideas|on the desk|stationery shop|21|3|thin
envelope|paper product|paper|send a letter|in the desk drawer|stationery shop|22|1|white
stamp|paper product|paper|pay for sending a letter|in the desk drawer|post office|3|1|tiny
calendar|paper product|paper|plan the month|on the kitchen wall|stationery shop|40|10|useful
dictionary|book|paper|look up the meaning of a word|on the bookshelf|bookshop|24|25|thick
map|paper product|paper|find the way|in the car|bookshop|90|8|detailed
newspaper|paper product|paper|read the news|on the kitchen table|newspaper stand|40|2|daily
pair of scissors|tool|steel|cut paper and cloth|in the desk drawer|stationery shop|17|6|sharp
table|piece of furniture|wood|eat meals with the family|in the dining room|furniture store|160|180|solid
chair|piece of furniture|wood|sit at the table|in the dining room|furniture store|95|50|comfortable
sofa|piece of furniture|wood and cloth|sit and watch films|in the living room|furniture store|210|450|soft
bed|piece of furniture|wood|sleep at night|in the bedroom|furniture store|200|300|comfortable
wardrobe|piece of furniture|wood|hang coats and dresses|in the bedroom|furniture store|220|260|large
bookshelf|piece of furniture|wood|keep books in order|in the living room|furniture store|190|110|tall
desk|piece of furniture|wood|do homework|in the study|furniture store|130|140|tidy
lamp|household item|metal and glass|light up a dark room|on the bedside table|furniture store|45|32|bright
mirror|household item|glass|see how a new hat looks|in the bathroom|furniture store|80|40|clear
pillow|household item|cotton and feathers|rest the head at night|on the bed|furniture store|70|18|soft
blanket|household item|wool|keep warm in bed|on the bed|furniture store|200|35|warm
carpet|household item|wool|keep the floor warm|in the living room|furniture store|300|150|thick
curtain|household item|cotton|keep out the light|in the bedroom|furniture store|220|45|long
clock|household item|plastic and metal|tell the time|on the kitchen wall|jewellery shop|30|22|round
watch|piece of jewellery|steel and glass|tell the time|on the wrist|jewellery shop|24|90|small
ring|piece of jewellery|gold|show love for a wife or husband|on the finger|jewellery shop|2|250|bright
candle|household item|wax|give light without electricity|on the dining table|supermarket|20|3|slow
key|household item|metal|open a locked door|in the pocket|hardware store|6|5|small
umbrella|household item|cloth and metal|stay dry in the rain|beside the front door|department store|85|15|wide
towel|household item|cotton|dry wet hands|in the bathroom|department store|120|12|dry
toothbrush|bathroom item|plastic|clean the teeth|in the bathroom|pharmacy|18|3|small
comb|bathroom item|plastic|make hair tidy|in the bathroom|pharmacy|16|2|thin
bar of soap|bathroom item|oil and salt|wash dirty hands|beside the sink|supermarket|8|2|clean
bandage|medical item|cotton|cover a cut|in the first-aid box|pharmacy|100|3|soft
thermometer|medical item|glass or plastic|measure a fever|in the first-aid box|pharmacy|13|9|exact
coat|piece of clothing|wool|keep warm outside|in the wardrobe|clothes shop|110|95|warm
raincoat|piece of clothing|plastic|stay dry in a storm|in the hall|clothes shop|105|50|light
jumper|piece of clothing|wool|keep warm indoors|in the wardrobe|clothes shop|70|40|woolly
shirt|piece of clothing|cotton|look smart at work|in the wardrobe|clothes shop|75|30|neat
dress|piece of clothing|silk or cotton|look nice at a party|in the wardrobe|clothes shop|110|60|pretty
hat|piece of clothing|straw|keep the sun off the face|in the hall|clothes shop|32|20|light
scarf|piece of clothing|wool|keep the neck warm|in the hall|clothes shop|160|16|soft
belt|piece of clothing|leather|hold up trousers|in the wardrobe|clothes shop|100|22|brown
backpack|bag|strong cloth|carry school books|in the hall|department store|48|45|roomy
suitcase|bag|hard plastic|pack clothes for a trip|under the bed|department store|70|80|large
wallet|small bag|leather|carry money and cards|in the pocket|department store|11|30|flat
basket|container|thin sticks|carry fruit home|in the kitchen|market|40|15|light
cardboard box|container|cardboard|send a parcel|in the garage|post office|50|3|square
bicycle|vehicle|steel and rubber|ride to school|in the garage|bicycle shop|180|240|fast
car|vehicle|steel, glass and rubber|drive to work|in the garage|car dealer's|450|15000|fast
helmet|piece of safety gear|hard plastic|protect the head|in the garage|bicycle shop|30|35|hard
tent|piece of camping gear|strong cloth|sleep outdoors|in the attic|sports shop|250|130|light
sleeping bag|piece of camping gear|soft cloth|stay warm in a tent|in the attic|sports shop|210|60|warm
torch|piece of camping gear|plastic and metal|see in the dark|in the hall drawer|sports shop|17|14|bright
rope|tool|strong fibre|tie things together|in the shed|hardware store|900|13|strong
compass|measuring tool|metal and glass|find north|in the backpack|sports shop|6|17|exact
football|sports item|leather or plastic|play a match with friends|in the shed|sports shop|22|20|round
tennis racket|sports item|light metal and string|hit a tennis ball|in the attic|sports shop|68|55|light
fishing rod|sports item|light plastic and string|catch fish|in the garage|sports shop|240|48|long
pair of skates|sports item|leather and steel|glide over ice|in the attic|sports shop|30|75|fast
kite|toy|paper and thin wood|play on a windy day|in the attic|toy shop|100|12|colourful
doll|toy|cloth or plastic|play at home|in the toy box|toy shop|40|18|pretty
puzzle|toy|cardboard|make a picture from many pieces|on the shelf|toy shop|38|11|difficult
teddy bear|toy|soft cloth|hug at bedtime|on the bed|toy shop|35|16|soft
guitar|musical instrument|wood and string|play songs|in the living room|music shop|100|150|old
piano|musical instrument|wood and metal|play music with all ten fingers|in the living room|music shop|150|2500|heavy
drum|musical instrument|wood and skin|keep the beat|in the basement|music shop|40|85|loud
violin|musical instrument|wood and string|play in an orchestra|in the music room|music shop|60|300|delicate
flute|musical instrument|metal or wood|play soft tunes|in the music room|music shop|67|180|thin
camera|electronic device|plastic, metal and glass|take photographs|on the shelf|electronics store|13|320|clever
phone|electronic device|glass, metal and plastic|call friends and send messages|in the pocket|phone shop|15|280|smart
computer|electronic device|metal and plastic|write letters and play games|on the desk|electronics store|45|700|fast
printer|electronic device|plastic|put text on paper|beside the computer|electronics store|42|110|slow
keyboard|electronic device|plastic|type words on a computer|on the desk|electronics store|44|28|flat
headset|electronic device|plastic and foam|listen to music alone|on the desk|electronics store|19|50|light
charger|electronic device|plastic and copper|fill the battery of a phone|beside the bed|phone shop|9|16|small
battery|electronic part|metal|give power to a torch|in the hall drawer|supermarket|5|2|small
television|electronic device|plastic and glass|watch films and the news|in the living room|electronics
    store|120|500|wide
radio|electronic device|plastic and metal|listen to the news|on the kitchen shelf|electronics store|28|38|old
fan|household machine|plastic|stay cool in summer|in the bedroom|electronics store|110|42|quiet
heater|household machine|metal|make a cold room warm|in the bathroom|electronics store|65|58|warm
alarm clock|household item|plastic and metal|wake up on time|on the bedside table|electronics store|12|15|loud
needle|sewing tool|steel|sew a button on a shirt|in the sewing box|department store|4|1|sharp
sewing machine|household machine|metal and plastic|sew dresses and curtains|in the study|department store|42|190|quick
whistle|sports item|metal or plastic|stop a game|around the neck|sports shop|5|4|loud
magnet|tool|iron|pick up pins|on the fridge door|toy shop|4|3|strong
telescope|measuring tool|metal and glass|look at the stars|on the balcony|electronics store|90|210|long
microscope|measuring tool|metal and glass|look at very small things|in the science room|electronics store|38|230|exact
""",
    9,
)

# Food: one portion, kind, number (p plural, s mass), colour, taste, shop, where it comes from, how it is eaten, price.
FOODS = _rows(
    """
apples|apple|fruit|p|red or green|sweet|greengrocer's|grow on trees|fresh or in a pie|1
bananas|banana|fruit|p|yellow|sweet|greengrocer's|grow in hot countries|without their skin|1
oranges|orange|fruit|p|orange|sweet and juicy|greengrocer's|grow on trees in warm places|fresh or as juice|1
lemons|lemon|fruit|p|yellow|sour|greengrocer's|grow on trees in warm places|in tea or on fish|1
grapes|bunch of grapes|fruit|p|green or purple|sweet|greengrocer's|grow on vines|fresh from the bunch|3
strawberries|box of strawberries|fruit|p|red|sweet|greengrocer's|grow close to the ground|with cream|4
cherries|bag of cherries|fruit|p|dark red|sweet|greengrocer's|grow on trees|fresh, but without the stone|5
pears|pear|fruit|p|green|soft and sweet|greengrocer's|grow on trees|fresh or cooked|1
peaches|peach|fruit|p|orange and pink|sweet and juicy|greengrocer's|grow on trees in warm places|fresh in summer|1
carrots|bag of carrots|vegetable|p|orange|sweet and crisp|greengrocer's|grow under the ground|raw or in soup|2
potatoes|bag of potatoes|vegetable|p|brown|mild|greengrocer's|grow under the ground|boiled, baked or fried|3
onions|bag of onions|vegetable|p|brown or white|sharp|greengrocer's|grow in the ground|fried in a pan|2
cabbage|head of cabbage|vegetable|s|green|mild|greengrocer's|grows in fields|in soup or salad|2
spinach|bag of spinach|vegetable|s|dark green|fresh|greengrocer's|grows in gardens|cooked or in a salad|3
peas|bag of peas|vegetable|p|green|sweet|greengrocer's|grow in pods|warm beside meat or fish|2
beans|bag of beans|vegetable|p|white, red or green|mild|greengrocer's|grow in pods|in a stew|2
lettuce|head of lettuce|vegetable|s|green|fresh|greengrocer's|grows in gardens|in a salad|2
mushrooms|box of mushrooms|food|p|white or brown|earthy|greengrocer's|grow in dark, damp places|fried with butter|3
bread|loaf of bread|baked food|s|brown|mild|bakery|is made from flour, water and yeast|with butter or cheese|3
rolls|roll|baked food|p|golden|mild|bakery|are made from flour, water and yeast|with jam at breakfast|1
cake|piece of cake|baked food|s|golden|very sweet|bakery|is made from flour, eggs, sugar and butter|with coffee or tea|4
biscuits|packet of biscuits|baked food|p|golden|sweet|supermarket|are made from flour, sugar and butter|with a glass
    of milk|2
pies|pie|baked food|p|golden|sweet or salty|bakery|are made from dough with a filling|warm from the oven|6
pizza|slice of pizza|baked food|s|red and golden|salty|pizza shop|is made from dough, tomatoes and cheese|hot, often
    with the hands|3
milk|bottle of milk|dairy product|s|white|mild|supermarket|comes from cows|cold or warm in a cup|1
butter|packet of butter|dairy product|s|yellow|creamy|supermarket|is made from cream|on bread|3
cheese|piece of cheese|dairy product|s|yellow|salty|cheese shop|is made from milk|on bread or on pasta|5
yoghurt|pot of yoghurt|dairy product|s|white|slightly sour|supermarket|is made from milk|with fruit or honey|1
cream|pot of cream|dairy product|s|white|rich|supermarket|comes from milk|on cakes and strawberries|2
ice cream|cone of ice cream|sweet food|s|white, pink or brown|cold and sweet|ice cream shop|is made from milk and
    sugar|in summer|2
eggs|box of eggs|food|p|white or brown|mild|supermarket|come from hens|boiled or fried|3
chicken|roast chicken|meat|s|white|mild|butcher's shop|comes from a bird|roasted with potatoes|9
beef|piece of beef|meat|s|dark red|rich|butcher's shop|comes from cattle|as a steak or in a stew|12
ham|pack of ham|meat|s|pink|salty|butcher's shop|comes from pigs|in a sandwich|4
sausages|pack of sausages|meat|p|brown|salty|butcher's shop|are made from chopped meat|grilled with mustard|5
salmon|piece of salmon|fish|s|pink|rich|fish shop|comes from rivers and the sea|grilled with lemon|8
tuna|tin of tuna|fish|s|pink|salty|supermarket|comes from the sea|in a salad|3
rice|bag of rice|grain|s|white|mild|supermarket|grows in wet fields|boiled, with vegetables|2
pasta|packet of pasta|grain product|s|yellow|mild|supermarket|is made from wheat|boiled, with tomato sauce|2
noodles|packet of noodles|grain product|p|pale yellow|mild|supermarket|are made from flour and water|in hot soup|2
oats|packet of oats|grain|p|pale brown|mild|supermarket|grow in fields|as porridge in the morning|2
soup|bowl of soup|cooked food|s|orange, green or red|warm and salty|restaurant|is made from water and vegetables|with
    a spoon|5
honey|jar of honey|sweet food|s|golden|very sweet|market|is made by bees|on bread or in tea|6
jam|jar of jam|sweet food|s|red or orange|very sweet|supermarket|is made from fruit and sugar|on bread|3
chocolate|bar of chocolate|sweet food|s|brown|sweet|sweet shop|is made from cocoa beans|as a treat|2
sugar|bag of sugar|food|s|white|very sweet|supermarket|comes from plants|in tea, coffee and cakes|2
salt|packet of salt|food|s|white|salty|supermarket|comes from the sea or from mines|in small amounts|1
pepper|packet of pepper|spice|s|black|hot|supermarket|comes from a plant|on meat and soup|3
nuts|bag of nuts|food|p|brown|rich|market|grow on trees|as a snack|4
tea|packet of tea|drink|s|green or brown|a little bitter|supermarket|is made from dried leaves|hot, often with milk|3
coffee|cup of coffee|drink|s|black|bitter|cafe|is made from roasted beans|hot, often in the morning|3
juice|glass of juice|drink|s|orange or red|sweet|cafe|is made from fruit|cold from a glass|3
lemonade|glass of lemonade|drink|s|pale yellow|sweet and sour|cafe|is made from lemons, water and sugar|cold on hot
    days|2
cocoa|cup of cocoa|drink|s|brown|sweet|cafe|is made from milk and cocoa powder|hot on winter evenings|3
tomatoes|bag of tomatoes|vegetable|p|red|fresh|greengrocer's|grow on tall green plants|in a salad or a sauce|3
cucumbers|cucumber|vegetable|p|green|fresh and watery|greengrocer's|grow on long plants|in a salad|1
pumpkins|pumpkin|vegetable|p|orange|mild and sweet|greengrocer's|grow on the ground in autumn|in soup or pie|4
pancakes|plate of pancakes|cooked food|p|golden|sweet|cafe|are made from flour, milk and eggs|with syrup or lemon|6
sandwiches|sandwich|cooked food|p|brown and white|fresh|cafe|are made from bread with a filling|at lunch, with the
    hands|4
""",
    10,
)

# Animal: plural, class, food, home, legs, weight in kg, young, way of moving, sound, what they do.
ANIMALS = _rows(
    """
dog|dogs|mammal|meat and dog food|in houses with people|4|20|puppy|run|bark|guard the house and love to play
cat|cats|mammal|mice and cat food|in houses with people|4|4|kitten|creep|purr|see well in the dark
cow|cows|mammal|grass|on farms|4|600|calf|walk|moo|give milk
horse|horses|mammal|grass and hay|on farms|4|500|foal|gallop|neigh|carry riders on their backs
sheep|sheep|mammal|grass|on farms and hills|4|70|lamb|walk|bleat|give wool
goat|goats|mammal|grass and leaves|on farms and mountains|4|50|kid|climb|bleat|climb steep rocks
pig|pigs|mammal|roots, grain and scraps|on farms|4|150|piglet|trot|grunt|roll in mud to stay cool
rabbit|rabbits|mammal|grass and carrots|in holes in the ground|4|2|kit|hop|squeak|have long ears and hear well
mouse|mice|mammal|seeds and grain|in small holes|4|0.02|pup|scurry|squeak|hide from cats
rat|rats|mammal|almost anything|near people and rubbish|4|0.3|pup|scurry|squeak|learn very quickly
squirrel|squirrels|mammal|nuts and seeds|in trees|4|0.5|kit|climb|chatter|bury nuts for the winter
hedgehog|hedgehogs|mammal|insects and worms|in gardens and hedges|4|0.8|hoglet|walk|snuffle|roll into a ball of spines
fox|foxes|mammal|mice and birds|in woods and fields|4|7|cub|run|bark|hunt mostly at night
wolf|wolves|mammal|deer and rabbits|in forests|4|40|pup|run|howl|hunt together in packs
bear|bears|mammal|berries, fish and honey|in forests|4|250|cub|walk|growl|sleep through the winter
deer|deer|mammal|grass and leaves|in forests|4|90|fawn|leap|call|run away from danger
lion|lions|mammal|meat|on the plains of Africa|4|180|cub|run|roar|live in groups called prides
tiger|tigers|mammal|meat|in the forests of Asia|4|190|cub|creep|roar|have orange fur with black stripes
elephant|elephants|mammal|leaves, grass and fruit|in Africa and Asia|4|4500|calf|walk|trumpet|pick up things with
    their trunks
giraffe|giraffes|mammal|leaves from tall trees|on the plains of Africa|4|1000|calf|walk|hum|reach high branches with
    their long necks
zebra|zebras|mammal|grass|on the plains of Africa|4|350|foal|gallop|bark|have black and white stripes
monkey|monkeys|mammal|fruit and leaves|in warm forests|4|8|infant|climb|chatter|swing from branch to branch
kangaroo|kangaroos|mammal|grass|in Australia|4|60|joey|jump|grunt|carry their young in a pouch
camel|camels|mammal|dry plants|in deserts|4|500|calf|walk|grunt|live for days without water
bat|bats|mammal|insects and fruit|in caves|2|0.03|pup|fly|squeak|sleep upside down
whale|whales|mammal|tiny sea animals and fish|in the ocean|0|30000|calf|swim|sing|come up to breathe air
dolphin|dolphins|mammal|fish|in the sea|0|200|calf|swim|whistle|jump out of the water
seal|seals|mammal|fish|on cold coasts|0|100|pup|swim|bark|rest on rocks and ice
otter|otters|mammal|fish|in rivers|4|9|pup|swim|whistle|slide down muddy slopes for fun
mole|moles|mammal|worms|under the ground|4|0.1|pup|dig|squeak|dig long tunnels
hen|hens|bird|grain and worms|on farms|2|2|chick|walk|cluck|lay eggs almost every day
duck|ducks|bird|plants and insects|on ponds and lakes|2|1.2|duckling|swim|quack|have feathers that keep out water
goose|geese|bird|grass|near lakes and on farms|2|4|gosling|walk|honk|fly south in large groups
swan|swans|bird|water plants|on lakes and rivers|2|10|cygnet|swim|hiss|have long white necks
owl|owls|bird|mice|in woods and old barns|2|0.6|owlet|fly|hoot|hunt at night
eagle|eagles|bird|fish and rabbits|on high mountains|2|5|eaglet|fly|scream|see small animals from far away
parrot|parrots|bird|seeds and fruit|in warm forests|2|0.4|chick|fly|squawk|copy human words
penguin|penguins|bird|fish|on icy southern coasts|2|20|chick|swim|call|cannot fly but swim very well
sparrow|sparrows|bird|seeds|in towns and gardens|2|0.03|chick|fly|chirp|build nests under roofs
pigeon|pigeons|bird|seeds and crumbs|in cities|2|0.35|squab|fly|coo|find their way home
ostrich|ostriches|bird|plants and seeds|on the plains of Africa|2|110|chick|run|boom|run faster than any other bird
crocodile|crocodiles|reptile|fish and meat|in warm rivers|4|400|hatchling|swim|hiss|have very strong jaws
snake|snakes|reptile|mice and frogs|in grass, forests and deserts|0|3|hatchling|slide|hiss|swallow their food whole
tortoise|tortoises|reptile|leaves and grass|in dry, warm places|4|30|hatchling|crawl|hiss|carry a hard shell and live
    very long
lizard|lizards|reptile|insects|on warm rocks|4|0.1|hatchling|crawl|hiss|lie in the sun to get warm
frog|frogs|amphibian|insects|in ponds|4|0.05|tadpole|jump|croak|catch flies with a sticky tongue
shark|sharks|fish|fish and seals|in the sea|0|500|pup||make no sound|have many rows of teeth
goldfish|goldfish|fish|fish food and water plants|in ponds and glass tanks|0|0.1|fry||make no sound|swim in circles
    all day
bee|bees|insect|nectar from flowers|in hives|6|0.0001|larva|fly|buzz|make honey
ant|ants|insect|seeds and crumbs|in nests in the ground|6|0.00001|larva|crawl|make no sound|carry things heavier than
    themselves
butterfly|butterflies|insect|nectar from flowers|in gardens and fields|6|0.0005|caterpillar|fly|make no sound|have
    colourful wings
spider|spiders|arachnid|insects|in corners and gardens|8|0.001|spiderling|crawl|make no sound|spin webs of fine thread
""",
    11,
)
ANIMALS = [row[:8] + (row[8] or "swim",) + row[9:] for row in ANIMALS]

# Job: duties (base form), place of work, tools, what it needs.
JOBS = _rows(
    """
baker|bake bread; make cakes; get up before sunrise|in a bakery|an oven and a bowl|strong arms and an early alarm
butcher|cut meat; make sausages; serve customers|in a butcher's shop|a knife and a scale|a steady hand
cook|prepare meals; taste the soup; plan the menu|in a restaurant kitchen|a pan and a knife|a good sense of taste
waiter|bring food to the tables; take orders; add up the bill|in a restaurant|a tray and a notepad|a good memory
farmer|grow wheat; feed the animals; drive a tractor|on a farm|a tractor and a fork|patience and hard work
gardener|plant flowers; cut hedges; water the lawn|in parks and gardens|a spade and a rake|love for plants
doctor|examine patients; treat illnesses; write prescriptions|in a clinic|a thermometer and a stethoscope|years of study
nurse|care for the sick; give medicine; change bandages|in a hospital|a thermometer and clean gloves|kindness
dentist|check teeth; fill holes in teeth; clean teeth|in a dental clinic|a drill and a small mirror|careful hands
pharmacist|sell medicine; read prescriptions; explain how to take pills|in a pharmacy|a scale and a computer|great care
vet|treat sick animals; give injections to pets; calm nervous dogs|in an animal clinic|gloves and bandages|love for
    animals
teacher|explain lessons; mark homework; help pupils|in a school|a board and a pen|patience
librarian|lend books; put books back on shelves; help readers|in a library|a scanner and a computer|a quiet voice
police officer|catch thieves; direct traffic; keep the streets safe|at a police station|a radio and a whistle|courage
firefighter|put out fires; rescue people; check smoke alarms|at a fire station|a hose and a ladder|courage
postman|deliver letters; bring parcels; empty post boxes|at a post office|a bicycle and a big bag|strong legs
bus driver|drive a bus; sell tickets; open the doors for passengers|on a bus|a steering wheel and mirrors|good eyes
pilot|fly planes; talk to the control tower; watch the weather|at an airport|radio and radar|a calm head
train driver|drive trains; watch the signals; stop at stations|on the railway|levers and a radio|good attention
mechanic|repair cars; change tyres; check brakes|in a garage|a wrench and a jack|skilful hands
plumber|repair pipes; fix leaking taps; unblock sinks|in people's homes|a wrench and a torch|practical skill
electrician|install lights; repair wires; check sockets|in houses and offices|a tester and pliers|great care
carpenter|build shelves; repair doors; cut wood|in a workshop|a saw and a hammer|a good eye for length
builder|build walls; mix concrete; carry bricks|on a building site|a shovel and a helmet|strong muscles
painter|paint walls; mix colours; cover the floor with paper|in houses|a brush and a ladder|a steady hand
tailor|sew suits; shorten trousers; measure customers|in a small workshop|a needle and a tape measure|nimble fingers
shoemaker|mend shoes; glue soles; polish leather|in a repair shop|a hammer and glue|nimble fingers
hairdresser|cut hair; wash hair; talk with customers|in a salon|scissors and a comb|good taste
cleaner|mop floors; empty bins; wipe windows|in offices and schools|a mop and a bucket|energy
shop assistant|serve customers; fill shelves; work at the till|in a shop|a till and a scanner|good manners
cashier|scan goods; take money; give change|in a supermarket|a till and a scanner|skill with numbers
bank clerk|count money; open accounts; explain savings plans|in a bank|a computer and a calculator|honesty
accountant|check bills; add up numbers; prepare tax papers|in an office|a calculator and a computer|skill with numbers
secretary|answer the phone; write letters; arrange meetings|in an office|a computer and a calendar|good order
manager|lead a team; plan the work; make decisions|in an office|a phone and a calendar|clear words
engineer|design machines; test bridges; solve technical problems|in an office or a factory|a computer and
    plans|mathematics
programmer|write software; find mistakes in code; build apps|in an office or at home|a computer and a keyboard|logic
scientist|do experiments; measure results; write reports|in a laboratory|a microscope and a notebook|curiosity
astronomer|watch the stars; study planets; measure light|in an observatory|a telescope and a computer|curiosity
journalist|ask questions; write articles; check facts|at a newspaper|a notebook and a recorder|curiosity
photographer|take pictures; choose the best light; edit images|in a studio|a camera and a lamp|a good eye
musician|play concerts; practise every day; write songs|in a concert hall|an instrument and sheet music|a good ear
actor|learn lines; play roles; wear costumes|in a theatre|a script and make-up|a good memory
artist|paint pictures; draw portraits; show work in galleries|in a studio|a brush and paint|imagination
fisherman|catch fish; mend nets; sail out before dawn|on the sea|a net and a boat|patience
sailor|steer ships; tie knots; watch the waves|on a ship|a rope and a compass|strong nerves
receptionist|welcome guests; hand out keys; answer the phone|in a hotel|a computer and a phone|a friendly smile
tour guide|show visitors around; tell stories about old buildings; answer questions|in old towns|a map and a flag|a
    loud voice
lawyer|explain the law; write contracts; speak in court|in an office|law books and a computer|clear thinking
judge|listen to both sides; decide cases; follow the law|in a court|law books and a small hammer|fairness
optician|test eyes; fit glasses; repair frames|in a glasses shop|lenses and a chart of letters|exact work
lifeguard|watch swimmers; rescue people from the water; give first aid|at a swimming pool|a whistle and a float|strong
    swimming
miner|dig for coal; drill into rock; work under the ground|in a mine|a drill and a lamp|strength
beekeeper|look after bees; collect honey; clean the hives|in a field with hives|a veil and gloves|a calm manner
courier|deliver parcels; load a van; ask for signatures|on the road|a van and a scanner|a good sense of direction
""",
    5,
)

# Place: preposition phrase, what people do there, what is found there, a worker there.
PLACES = _rows(
    """
library|at the library|borrow books; read quietly; use the computers|shelves, desks and reading lamps|librarian
park|in the park|walk the dog; play football; feed the ducks|benches, trees and a pond|gardener
station|at the station|wait for a train; buy tickets; meet visitors|platforms, clocks and timetables|guard
airport|at the airport|check in their bags; show their passports; board planes|gates, long halls and screens|pilot
hospital|in the hospital|visit sick friends; see a doctor; get well|beds, wards and waiting rooms|nurse
school|at school|learn to read; write tests; meet friends|classrooms, desks and a playground|teacher
museum|in the museum|look at paintings; learn about history; see old coins|statues, glass cases and signs|guide
cinema|at the cinema|watch films; eat popcorn; sit in the dark|a big screen and rows of seats|ticket seller
theatre|at the theatre|watch plays; clap for the actors; listen to music|a stage, curtains and rows of seats|actor
swimming pool|at the swimming pool|swim; learn to dive; splash about|blue water, lockers and showers|lifeguard
gym|at the gym|lift weights; run on machines; take classes|weights, mats and mirrors|trainer
supermarket|at the supermarket|buy food; push trolleys; compare prices|shelves, freezers and tills|cashier
market|at the market|buy fresh fruit; taste cheese; chat with sellers|stalls, baskets and awnings|stallholder
bakery|at the bakery|buy bread; choose cakes; smell fresh rolls|ovens, trays and a counter|baker
post office|at the post office|send parcels; buy stamps; collect letters|counters, scales and post boxes|clerk
bank|in the bank|save money; change coins into notes; talk to a clerk|counters, a safe and cash machines|bank clerk
pharmacy|at the pharmacy|buy medicine; ask for advice; pick up bandages|bottles, pills and white shelves|pharmacist
restaurant|in the restaurant|eat dinner; order wine; celebrate birthdays|tables, menus and candles|waiter
cafe|in the cafe|drink coffee; read the paper; meet friends|small tables, cups and cakes|waiter
hotel|at the hotel|stay the night; leave their suitcases; eat breakfast|rooms, keys and a reception desk|receptionist
farm|on the farm|feed the animals; pick fruit; drive tractors|barns, fields and fences|farmer
beach|on the beach|swim in the sea; build sandcastles; collect shells|sand, waves and gulls|lifeguard
forest|in the forest|walk along paths; pick mushrooms; listen to birds|tall trees, moss and streams|ranger
zoo|at the zoo|watch the animals; take photos; learn about nature|cages, pools and signs|keeper
harbour|at the harbour|watch the boats; buy fresh fish; wait for the ferry|boats, ropes and cranes|sailor
factory|in the factory|build machines; check parts; pack boxes|machines, belts and robots|engineer
office|in the office|answer e-mails; hold meetings; write reports|desks, screens and printers|secretary
garage|in the garage|repair cars; change oil; fill tyres with air|tools, tyres and oil cans|mechanic
police station|at the police station|report a theft; ask for help; hand in lost things|desks, radios and patrol
    cars|police officer
town hall|at the town hall|get a passport; register a baby; vote|offices, forms and long corridors|clerk
stadium|in the stadium|watch matches; cheer for a team; sing together|seats, a field and floodlights|groundsman
playground|on the playground|climb; swing; slide|swings, slides and sand|caretaker
garden|in the garden|grow vegetables; cut the grass; rest in the shade|flowers, a hedge and a small shed|gardener
church|in the church|pray; sing; get married|candles, benches and coloured windows|priest
bookshop|in the bookshop|look for novels; buy gifts; leaf through magazines|books, posters and a till|bookseller
campsite|at the campsite|put up tents; cook outdoors; sit round a fire|tents, taps and picnic tables|ranger
""",
    5,
)

# Goal, ordered steps, a tip.
HOWTO = _rows(
    """
boil an egg|fill a small pot with water; bring the water to the boil; lower the egg in with a spoon; wait for seven
    minutes; cool the egg under the tap|a fresh egg takes a little longer
make a cup of tea|boil some water; put a tea bag in a cup; pour the hot water over it; wait for three minutes; take
    out the bag|add milk or lemon if you like
make a sandwich|cut two slices of bread; spread butter on them; add cheese and lettuce; press the slices together; cut
    the sandwich in half|use fresh bread
cook rice|wash the rice; put it in a pot with twice as much water; bring it to the boil; turn down the heat; cook it
    for fifteen minutes with the lid on|do not stir too often
bake a simple cake|heat the oven; mix butter and sugar; stir in the eggs and flour; pour the dough into a tin; bake it
    for forty minutes|a dry stick shows that the cake is ready
make a fruit salad|wash the fruit; peel what needs peeling; cut everything into small pieces; mix the pieces in a
    bowl; add some lemon juice|serve it cold
wash clothes|sort the clothes by colour; put them in the washing machine; add the powder; choose the right programme;
    hang the clothes up to dry|check the pockets first
iron a shirt|put the shirt on the board; heat the iron; begin with the collar; go on with the sleeves; finish with the
    front and the back|never leave a hot iron alone
change a light bulb|turn off the light; let the old bulb cool down; stand on a firm chair; screw out the old bulb;
    screw in the new one|ask someone to hold the chair
hang a picture|choose the place; mark the spot with a pencil; hold the nail straight; hit it gently with a hammer;
    hang the picture on the nail|check that it is level
paint a wall|cover the floor with old paper; clean the wall; stir the paint; paint the corners with a small brush;
    fill in the rest with a roller|two thin coats look better than one thick coat
sew on a button|choose a thread of the same colour; pull it through the needle; tie a knot at the end; push the needle
    through the cloth and the button many times; cut the thread|wear a thimble to protect your finger
plant a tree|dig a wide hole; put the roots into it; fill the hole with soil; press the soil down; give the tree
    plenty of water|autumn is a good time for it
grow tomatoes|fill a pot with soil; press a few seeds into it; put the pot in a sunny place; water the soil every day;
    tie the plant to a stick|pick the fruit when it is red
clean a window|mix warm water with a little soap; wet the glass with a sponge; wipe the dirt away; dry the glass with
    a cloth; polish the corners|choose a cloudy day, because sun leaves marks
wrap a present|cut a large piece of paper; put the box in the middle; fold the paper over it; stick down the ends with
    tape; tie a ribbon around it|write a small card as well
write a letter|take a sheet of paper; write the date at the top; greet the reader; say what you want to say; sign your
    name at the end|read it again before you send it
send a parcel|put the things in a strong box; fill the empty space with paper; close the box with tape; write the
    address on top; take it to the post office|keep the receipt
borrow a book|go to the library; look for the title on the shelf; take the book to the desk; show your library card;
    note the day of return|return it on time
catch a bus|find the right stop; look at the timetable; wait for the correct number; wave to the driver; get on and
    show your ticket|be there five minutes early
cross a busy road|find a crossing; stop at the edge; look both ways; wait until the cars have stopped; walk across
    quickly|never run between parked cars
pack a suitcase|write a list; fold the clothes; put heavy shoes at the bottom; lay shirts on top; close the lid and
    weigh the case|leave a little space for gifts
put up a tent|find a flat place; spread out the tent; push the poles through the cloth; raise the tent; fix the ropes
    with pegs|keep away from lonely trees in a storm
light a campfire|make a ring of stones; put dry leaves in the middle; lay thin sticks on top; light the leaves with a
    match; add thicker wood slowly|put the fire out with water before you leave
ride a bicycle|put on a helmet; hold the handlebars firmly; put one foot on a pedal; push off with the other foot;
    keep turning the pedals|look ahead and not at your feet
pump up a bicycle tyre|take the cap off the valve; press the pump on the valve; pump until the tyre feels hard; pull
    the pump off; put the cap back|soft tyres make riding slow
learn new words|write each word on a small card; write the meaning on the back; read the cards aloud; test yourself
    every evening; put known cards aside|ten words a day are enough
prepare for a test|find out what the test is about; read your notes; explain the main points in your own words; answer
    some old questions; sleep well before the day|do not start on the last evening
take a good photo|clean the lens; stand with the sun behind you; hold the camera still; move close to the person;
    press the button gently|take more than one
charge a phone|find the charger; plug it into the wall; push the other end into the phone; wait until the battery is
    full; pull out the plug|an hour is often enough
install an app|open the app store on your phone; type the name of the app; check who made it; press the install
    button; open the app when it is ready|read what the app wants to see
save a file|open the file menu; choose save; type a clear name; pick a folder; press the save button|save often,
    because power can fail
print a page|turn on the printer; put paper in the tray; open the page on the computer; choose print; pick up the
    sheet|look at the preview first
send an e-mail|open your mail program; type the address; write a short subject; write your message; press send|check
    the address twice
choose a strong password|think of four words that do not belong together; add a number and a sign; avoid your name and
    birthday; use it in one place only; keep it secret|a long password is better than a short one
join a video call|open the link in the message; allow the camera and the microphone; type your name; press join; wave
    to the others|switch off the sound while others speak
treat a small cut|wash your hands; rinse the cut with clean water; dry the skin around it; put on a plaster; change
    the plaster every day|see a doctor if the cut is deep
brush your teeth|wet the brush; put on a little toothpaste; brush every tooth for two minutes; spit out the foam;
    rinse your mouth|do it twice a day
wash a dog|fill a tub with warm water; wet the fur; rub in mild shampoo; rinse it well; dry the dog with a towel|give
    the dog a treat afterwards
feed a cat|clean the bowl; open a tin of food; put some food in the bowl; fill another bowl with fresh water; call the
    cat|feed it at the same time each day
build a snowman|roll a big ball of snow; roll a smaller ball; put it on the big one; add a third ball as the head;
    give it a carrot nose|wet snow sticks best
make a paper boat|take a sheet of paper; fold it in half; fold the corners to the middle; turn up the edges; pull the
    sides apart|thick paper floats longer
clean a room|open the window; pick up everything from the floor; put things in their places; dust the shelves; sweep
    or vacuum the floor|start at the top and end at the floor
save money at home|write down what you spend; switch off lights; cook at home; mend clothes; put a little aside each
    week|small sums grow
plan a birthday party|choose a day; write a list of guests; send the invitations; buy food and drinks; decorate the
    room|ask a friend to help
""",
    3,
)

# Clause in the present, and its reason. Both stand alone with a plural or an "it" subject.
WHY = _rows(
    """
people wear coats in winter|the air is cold and a coat keeps the body warm
people carry umbrellas|they want to stay dry when it rains
ice melts in the sun|the sun makes it warm and warm ice turns into water
plants need water|they cannot grow without it
leaves fall in autumn|trees save their strength for the winter
birds build nests|they need a safe place for their eggs
birds fly south in autumn|there is little food in the cold season
dogs bark at strangers|they want to protect their home
cats lick their fur|they like to keep it clean
bears sleep in winter|there is not enough food in the snow
fish can breathe under water|they have gills that take air from the water
bees visit flowers|they collect nectar to make honey
people brush their teeth|sugar and food can damage teeth
people wash their hands before meals|dirty hands can make them ill
children go to school|they learn to read, write and think there
drivers stop at a red light|other people need to cross safely
cyclists wear helmets|a helmet protects the head in a fall
babies cry|they cannot yet say what they need
people put food in the fridge|cold food stays fresh for longer
bread rises in the oven|yeast makes small bubbles in the dough
onions make people cry|they give off a gas that stings the eyes
boats float|they push enough water aside to be carried by it
stones sink in water|they are heavier than the water they push aside
the moon shines at night|it throws back the light of the sun
it is dark at night|our side of the earth is turned away from the sun
the sea tastes salty|rivers carry salt from the rocks into it
it is hotter in summer|the sun stands higher and the days are longer
people sleep|the body and the mind need rest
people drink more on hot days|they lose water when they sweat
people sweat when they run|sweat cools the skin
ships use lighthouses|the light warns them of rocks
people lock their doors|they do not want thieves to come in
people wear glasses|the glasses help them to see clearly
trains run on rails|smooth rails let heavy wheels roll easily
windows are made of glass|glass lets the light in and keeps the wind out
pans have wooden handles|wood does not get as hot as metal
firefighters wear helmets|things can fall on them in a burning house
farmers plant seeds in spring|the ground is warm and wet at that time
people save money|they may need it later for something important
people write shopping lists|they do not want to forget anything
phones need charging|their batteries run empty when they are used
computers need passwords|strangers should not read private files
people make copies of their files|a broken computer can lose everything
shops have sales in January|they want to make room for new goods
people send postcards|they like to share their holidays with friends
old bridges are repaired|rust and rain make them weak
salt is put on icy roads|salt makes the ice melt
wool is warm|it holds a lot of still air
a metal spoon gets hot in tea|metal carries heat very well
shadows are long in the evening|the sun stands low in the sky
rainbows appear after rain|drops of water split the light into colours
thunder comes after lightning|light travels much faster than sound
milk turns sour|tiny living things grow in it when it is warm
iron rusts|it reacts with water and air
balloons rise|the gas inside them is lighter than air
people knock before they enter|it is polite to ask first
libraries are quiet|readers need silence to think
nurses work at night|sick people need help at every hour
people warm up before sport|cold muscles are hurt easily
giraffes have long necks|they eat leaves from the tops of trees
camels can live in deserts|they use water slowly and store fat in their humps
ducks stay dry|oil on their feathers keeps the water out
""",
    2,
)

# Yes-or-no question, answer.
CAN = _rows(
    """
Can I put metal in a microwave?|No. Metal can make sparks and start a fire.
Can penguins fly?|No, they cannot. They use their wings for swimming.
Can I wash a wool jumper in hot water?|No, because hot water makes wool shrink. Use cold water.
Can I eat raw potatoes?|It is better to cook them first. Raw potatoes are hard and can upset your stomach.
Can dogs eat chocolate?|No. Chocolate is poison for dogs.
Can I drink sea water?|No. It is too salty and makes you even more thirsty.
Can plants grow without light?|Most plants cannot. They need light to make their food.
Can bats see?|Yes, they can, but at night they mostly use their ears.
Can a person live without sleep?|No. Everybody needs sleep to stay healthy.
Can sound travel through water?|Yes. It even travels faster in water than in air.
Can I look straight at the sun?|No, never do that. The bright light can damage your eyes.
Can fish close their eyes?|Most fish cannot, because they have no eyelids.
Can an ostrich fly?|No. It is too heavy, but it can run very fast.
Can I use a phone on a plane?|Yes, but you should switch it to flight mode first.
Can I freeze bread?|Yes. Frozen bread keeps for weeks. Let it thaw before you eat it.
Can children ride in the front of a car?|Small children should sit in the back, in a special seat.
Can I cross the street at a red light?|No. Wait until the light is green.
Can cats swim?|Yes, most cats can swim, but few of them like water.
Can I take a dog into the library?|Usually not. Only guide dogs are allowed.
Can a bicycle be ridden in the dark?|Yes, if it has a lamp in front and a red light at the back.
Is a tomato healthy?|Yes. It has a lot of water and vitamins.
Is the sun a star?|Yes. It is the star that is closest to us.
Is the moon bigger than the earth?|No. The moon is much smaller than the earth.
Is a whale a fish?|No. A whale is a mammal, because it breathes air and feeds its young with milk.
Is a spider an insect?|No. Insects have six legs, but a spider has eight.
Is glass made from sand?|Yes. Sand is heated until it melts and turns into glass.
Is paper made from wood?|Yes, most paper is made from the wood of trees.
Is it safe to swim in a storm?|No. Lightning and high waves are dangerous. Get out of the water at once.
Is honey made by wasps?|No, honey is made by bees.
Is ice lighter than water?|Yes. That is why ice floats.
Does wood float on water?|Yes, most kinds of wood float.
Does a snake have legs?|No. It slides along on its belly.
Does a year have twelve months?|Yes. The first is January and the last is December.
Does the sun rise in the west?|No. It rises in the east and sets in the west.
Do plants drink through their leaves?|Mostly not. They take up water with their roots.
Do all birds lay eggs?|Yes. Every kind of bird lays eggs.
Do I need a stamp for an e-mail?|No. Stamps are only needed for letters and parcels.
Do I need a passport to travel abroad?|Usually yes. Check the rules of the country before you go.
Do trees sleep in winter?|In a way, yes. Many of them lose their leaves and stop growing until spring.
Should I turn off the light when I leave a room?|Yes. That saves power and money.
Should I wear a helmet when I ride a bicycle?|Yes, because it protects your head if you fall.
Should I wake someone who walks in their sleep?|It is better to lead them gently back to bed.
""",
    2,
)

# Word with its article, definition. The second table is for descriptions only, never for questions.
DEFS = _rows(
    """
a neighbour|a person who lives near you
a customer|a person who buys something
a guest|a person who visits you or stays in a hotel
a passenger|a person who travels in a car, bus, train or plane
an orphan|a child whose parents are dead
a stranger|a person whom you do not know
a thief|a person who steals things
a hero|a person who does something very brave
a twin|one of two children born on the same day to the same mother
a village|a place with houses that is smaller than a town
an island|land with water all around it
a desert|a very dry place where few plants grow
a volcano|a mountain that can throw out hot rock
a valley|low land between hills or mountains
a river|a long stream of water that flows to the sea
a bridge|something built to carry people over water or a road
a tunnel|a way under the ground or through a hill
a crossing|a place where you may walk over a road
a roof|the part that covers the top of a house
a cellar|a room under a house
an attic|a room right under the roof
a balcony|a small open floor outside a window
a fence|a kind of wall made of wood or wire around a garden
a receipt|a paper that shows what you have bought
a discount|an amount taken off the price
a bill|a paper that says how much you must pay
a refill|a new filling for something that is empty
a timetable|a list of the times when buses or trains leave
a luggage label|a small card with your name that hangs on a suitcase
a delay|the time by which something is late
a passport|a small book that shows who you are when you travel
a ticket|a paper or a code that lets you travel or go in
an invitation|a message that asks you to come to something
a recipe|a text that tells you how to cook a dish
a diary|a book in which you write what happens each day
a promise|words that say you will surely do something
a secret|something that only a few people know
a mistake|something that is done in the wrong way
an accident|something bad that happens by chance
a habit|something you do again and again without thinking
a hobby|something you like to do in your free time
a prize|something you get when you win
a rumour|a story that people tell without knowing if it is true
an app|a small program for a phone
a browser|a program for looking at pages on the internet
a download|a file that you get from the internet
an update|a newer version of a program
a screen|the part of a phone or computer that shows pictures
a link|a word or picture that takes you to another page
a folder|a place on a computer where files are kept together
a username|the name by which a website knows you
a password|a secret word that lets you in
a search engine|a website that helps you to find other pages
a robot|a machine that can do some work by itself
a battery|a thing that stores electric power
an engine|the part of a car that makes it move
a wheel|a round part that turns and lets a car roll
a thermometer|a tool that shows how warm something is
a planet|a large round body that moves around a star
a shadow|the dark shape that appears when something blocks the light
a storm|very bad weather with strong wind
a drought|a long time without rain
a flood|a lot of water covering land that is usually dry
a seed|the small part of a plant from which a new plant grows
a root|the part of a plant that is under the ground
a harvest|the time when crops are gathered
a herd|a group of large animals such as cows
a flock|a group of birds or sheep
a nest|the home that a bird makes for its eggs
a paw|the foot of a dog, a cat or a bear
a beak|the hard mouth of a bird
a muscle|a part of the body that helps you to move
a fever|a body temperature that is too high
a bruise|a dark mark on the skin after a knock
a vaccine|a medicine that protects you from an illness
an appointment|a time at which you agree to meet someone
a salary|the money a worker gets every month
a colleague|a person you work with
a contract|a paper in which people agree on something
a vote|a way of choosing by saying yes or no
a law|a rule for everybody in a country
a tax|money that people pay to the state
a century|one hundred years
a decade|ten years
a dozen|twelve of something
a fortnight|two weeks
a pair|two things that belong together
a triangle|a shape with three sides
a square|a shape with four equal sides
a circle|a perfectly round shape
""",
    2,
)
MONEY_DEFS = _rows(
    """
a bank|a business that keeps money safe and lends it
a PIN|a secret number that belongs to a card
a bank card|a small piece of plastic with which people pay
an account|a place at a bank where your money is written down
a payment|money that you give for something
a transfer|money that moves from one account to another
a cash machine|a machine that gives out banknotes
a coin|a small round piece of metal money
a banknote|a piece of paper money
a loan|money that somebody lends you and that you must give back
interest|the extra money that is paid for borrowing
savings|money that you have put aside for later
a currency|the kind of money that a country uses
an exchange rate|the price of one kind of money in another kind
a purse|a small bag for coins
a cheque|a paper that tells a bank to pay someone
a balance|the amount of money in an account
a fee|money that you pay for a service
a statement|a list of everything that went into and out of an account
a budget|a plan for spending money
""",
    2,
)

# What a caller wants (after "to"), what to do, what to know besides.
SUPPORT = {
    "phone": _rows(
        """
change my ringtone|open the settings, tap on sounds and pick a new tone|You can hear each tone before you choose.
block a number|open the list of calls, hold the number and tap on block|The caller will not be told.
make the text on my phone bigger|go to the settings and move the slider under display|The change works at once.
save battery on my phone|lower the brightness and close apps that you do not need|A dark screen also uses less power.
keep my old number|tell the new company your number when you sign up|It takes about two days.
move my photos to a new phone|connect both phones to the same network and use the copy app|Large albums may take an
    hour.
silence my phone at night|set the quiet hours in the sound menu|Alarms will still ring.
""",
        3,
    ),
    "parcel": _rows(
        """
track my parcel|type the number from your receipt into our website|The page is updated every hour.
change the delivery address|call us before the parcel leaves the warehouse|After that the driver cannot be reached.
send a parcel abroad|fill in the customs form and bring the box to a post office|It usually takes one or two weeks.
pick up my parcel myself|choose a shop near you on the delivery page|It is kept there for seven days.
return a pair of shoes|put them back in the box, stick on the return label and drop it off|Returns are free for thirty
    days.
pack a vase safely|wrap it in soft paper and use a box that is a little larger|Write the word glass on every side.
have my parcel left with a neighbour|write the name of the neighbour in the delivery notes|You will find a note in
    your letter box.
""",
        3,
    ),
    "internet": _rows(
        """
restart my router|pull out the plug, wait for ten seconds and put it back|The lights turn green after two minutes.
change the name of my wireless network|open the page of the router and choose a new name|Your devices must then join
    again.
make my connection faster|put the router in an open place and use a cable for the television|Thick walls slow the
    signal down.
connect a printer to the network|hold the network button on the printer and choose your home network|Both must be in
    the same house.
share the internet with a guest|switch on the guest network and tell your visitor its password|Guests cannot see your
    files.
move my internet line to a new flat|send us the new address three weeks before the move|An engineer will visit you on
    the first day.
""",
        3,
    ),
    "library": _rows(
        """
renew my library card|come to the front desk with your old one and a letter with your address|A new one is printed
    while you wait.
borrow an e-book|log in with your reader number and press borrow|The file opens for three weeks.
keep a book for longer|extend the time on our website before the last day|This works twice for every title.
reserve a novel|search for the title and press reserve|We write to you as soon as it is here.
return books on a Sunday|drop them into the box beside the door|They are taken in on Monday morning.
book a study room|write your name on the list at the desk|A room is free for two hours at most.
join the reading club|come to the meeting on the first Tuesday of the month|Tea and biscuits are free.
""",
        3,
    ),
    "gym": _rows(
        """
join the gym|bring a photo and fill in the form at reception|The first class is free.
pause my gym membership|send us a short e-mail before the end of the month|You can pause for up to three months.
book a yoga class|open the plan on our website and choose a day|Classes have twelve places.
find a trainer|ask at the desk for the list of trainers|The first talk costs nothing.
rent a locker|get a key at the desk|Please empty it before you leave.
bring a friend to the gym|sign your friend in as a guest at the front desk|One guest a week is allowed.
""",
        3,
    ),
    "train": _rows(
        """
change my train ticket to a later train|show it at the ticket office before the first train leaves|Cheap tickets
    cannot be changed.
reserve a seat by the window|choose it on the plan when you buy the ticket|A seat by the window costs two pounds more.
take my bicycle on the train|buy a bicycle ticket and use the last carriage|It is not allowed in the busy morning hours.
get a seat for a wheelchair|call us one day before your journey|Our staff will help you to get on.
find something I left on the train|fill in the lost property form on our website|Things are kept for two months.
learn about delays|look at the board in the hall or open our travel app|The app is updated every minute.
travel with a dog|buy a child ticket for it and keep it on a lead|Small dogs in a bag go free.
""",
        3,
    ),
    "hotel": _rows(
        """
check in late|tell us by phone when you will arrive|The night porter will give you the key.
get an extra pillow|call reception from the phone in your room|We bring it up in ten minutes.
book a table for dinner|tell reception how many you are and at what time you come|The kitchen closes at ten.
leave my luggage after checking out|give it to the porter at the front desk|We keep it until the evening.
order breakfast in my room|hang the filled-in card on your door before midnight|It is served from seven to ten.
park at the hotel|drive to the gate behind the house and ring the bell|There are thirty places.
use the hotel pool|take a towel from your room and go to the fifth floor|It is open until nine.
change to a quieter room|ask at reception which rooms look onto the garden|We help as soon as one is free.
""",
        3,
    ),
    "software": _rows(
        """
install the update|close all files, press update and restart the computer|This takes about five minutes.
get back a deleted file|open the bin, click on the file and choose restore|Files stay there for thirty days.
change the language of the program|open the settings and pick your language from the list|Start the program again
    after that.
print only one page|choose print and type the number of the page|The preview shows what will come out.
share a folder with my team|click on the folder, choose share and type their names|They get a message at once.
make a copy of my files|plug in a second disk and start the backup program|Do it once a week.
turn off the sounds|click on the small speaker and move the slider down|You can turn them on in the same place.
use the program on two computers|install it on the second machine and log in with the same name|Your work is kept the
    same on both.
""",
        3,
    ),
    "home": _rows(
        """
unblock a sink|pour hot water down first and then use a plunger|Call a plumber if this does not help.
clean the filter of my washing machine|open the small door at the bottom and turn the filter to the left|Put a towel
    on the floor first.
read the electricity meter|write down all the black numbers from left to right|Leave out the red one.
set the heating timer|press the clock button and choose the hours|The heating then starts by itself.
get rid of an old sofa|order a pick-up from the city or take it to the recycling yard|One pick-up a year is free.
stop a tap from dripping|turn off the water and change the small rubber ring|You can get a ring at any hardware store.
remove ice from the freezer|switch it off, open the door and let the ice melt|Keep the food in a cool bag.
""",
        3,
    ),
    "museum": _rows(
        """
book a tour for my class|write to us with the day and the number of children|Groups of more than ten pay less.
take photos in the museum|use your camera without flash|Flash can harm old paintings.
rent an audio guide|ask at the entrance and leave your passport or your driving licence|It speaks nine languages.
become a volunteer at the museum|fill in the form on our website and come to a short talk|We are happy about every
    helper.
visit the museum with a baby|use the lift and leave the big bags in a locker|There is a quiet room on the first floor.
""",
        3,
    ),
    "doctor": _rows(
        """
make an appointment|call the practice in the morning or use the online calendar|Urgent cases are seen on the same day.
move my appointment|call us at least one day before|We will look for another free hour.
get a repeat prescription|tell us the name of the medicine by phone|You can collect it after one day.
prepare for a blood test|eat nothing for eight hours and drink only water|Bring a snack for afterwards.
get a flu jab|come on any Wednesday afternoon|It takes only a few minutes.
""",
        3,
    ),
    "school": _rows(
        """
enrol my child at school|bring the birth certificate to the office in March|A teacher will show you around.
report that my child is ill|call the school office before eight in the morning|A note is needed after three days.
order school lunches|choose the meals in the school app by Thursday|There is always a dish without meat.
join the parents' evening|sign up on the list beside the main door|Each talk lasts ten minutes.
find a lost jacket|look in the big box beside the gym hall|The box is emptied at the end of term.
""",
        3,
    ),
    "bus": _rows(
        """
buy a monthly bus pass|go to the kiosk with a photo|Students pay half.
find the right bus stop|type your street into the map on our website|The stops are marked with a green sign.
get off at the next stop|press the red button beside the door|Press it early enough.
complain about a driver|write down the time and the line number and send them to us|We answer within a week.
take a pram on the bus|use the middle door and put on the brake|There is room for two prams.
""",
        3,
    ),
    "garden": _rows(
        """
keep snails away from my lettuce|put a ring of sand or eggshells around the plants|Go out in the evening and collect
    the rest.
cut roses|make a clean cut above a bud in early spring|Wear thick gloves.
choose plants for a dark room|look for plants with large, dark leaves|They also need less water.
keep flowers fresh|cut the stems and change the water every two days|Keep them away from the heater.
make good soil|collect peels and leaves in a heap and wait for a year|Do not put meat on it.
""",
        3,
    ),
}

# What is wrong, what helps. The first word of the answer is a verb in the base form.
PROBLEMS = _rows(
    """
my parcel has not arrived|look at the tracking page first and ask your neighbours|If it is not there after two more
    days, call us.
my parcel arrived damaged|take a photo of the box and send it to us|We will send you a new one.
my phone does not charge|clean the small hole and try another cable|A shop can change the battery if that does not help.
my phone screen is cracked|bring the phone to a repair shop|A new screen is fitted in about an hour.
my internet is very slow|restart the router and move it away from the wall|Call us if it is still slow tomorrow.
my wireless network has disappeared|check if the light on the router is on|If it is off, plug the router in again.
my printer prints empty pages|check the ink and clean the print head|The menu of the printer has a cleaning programme.
my computer makes a loud noise|turn it off and remove the dust from the fan|Use a soft brush for it.
my computer is frozen|hold down the power button for ten seconds|Then start it again.
the program closes by itself|install the newest version and restart the computer|If it happens again, send us the
    report.
the keyboard types wrong letters|check the language in the settings|It is often set to another country.
the washing machine does not drain|clean the filter and look for a bent hose|Put a towel on the floor before you open
    it.
the fridge is too warm|turn the dial to a higher number and check the door|Do not put hot food in it.
the light in the kitchen flickers|change the bulb first|If it goes on, call an electrician.
the tap in my bathroom drips|turn off the water and change the rubber ring|It is a small job.
my train was late and I missed the next one|take the next train with the same ticket|The staff will stamp it for you.
I left my umbrella on the bus|call the lost property office in the morning|Say which line you took and at what time.
I have lost my library card|tell the front desk so that nobody else can use it|You get a new one for two pounds.
my library book got wet|let it dry and bring it to the desk|We will see if it can be saved.
my hotel room is too cold|turn up the dial beside the window|Reception can bring a second blanket.
the shower in my room does not work|call reception and ask for the caretaker|If it takes long, you will get another
    room.
my suitcase did not come out at the airport|go to the baggage desk and show your luggage label|Most bags are found
    within a day.
my gym locker does not open|ask at reception for the spare key|Please bring something that shows your name.
the class I wanted is full|put your name on the waiting list|Places often become free on the same day.
my bicycle tyre is flat|find the hole, clean it and stick a patch over it|Pump up the tyre afterwards.
my car does not start|check if the lights come on|If they stay dark, the battery is empty.
my alarm clock did not ring|check if it is set to the right half of the day|A new battery may help too.
my glasses are broken|take them to an optician|Small repairs are often free.
the jacket I ordered is too small|send it back with the label from the box|Choose a larger size in the shop.
the shoes I bought have a hole|bring them back with the receipt|You will get a new pair.
the film on the website stops all the time|choose a lower picture quality|It may also help to close other programs.
the video call has no sound|check that the microphone is on|Ask the others if they can hear you.
my e-mail does not go out|check the address and your connection|The message may also be too large.
I get too many adverts by e-mail|click on the link at the bottom of the message|You will be taken off the list.
I forgot the password for the school website|click on the line below the login field and follow the message|Choose a
    new one with ten signs.
the photos on my tablet have disappeared|look in the album of deleted pictures|They stay there for a month.
my plants have brown leaves|give them less water and more light|Brown tips often mean dry air.
my cake did not rise|check the date on the baking powder|Do not open the oven too early.
my soup is too salty|add a raw potato or some water|Let it cook for ten more minutes.
my jumper has shrunk|soak it in cool water with mild shampoo and stretch it gently|Dry it flat.
the window does not close|look for dirt in the frame and oil the hinge|A carpenter can adjust it.
my neighbour plays loud music at night|talk to him in a friendly way|If it goes on, write to the landlord.
""",
    3,
)

# How someone feels or what happens to them (after "I"), good advice (imperative), a reason.
ADVICE = _rows(
    """
feel tired all day|go to bed earlier|Most adults need about eight hours of sleep.
cannot fall asleep|read a book instead of looking at a screen|Bright light keeps the brain awake.
have a headache|drink a glass of water and rest in a dark room|See a doctor if it does not stop.
have a cold|stay at home, drink tea and sleep a lot|A cold mostly goes away in a week.
have cut my finger|rinse the cut and put a plaster on it|A clean cut heals faster.
have burnt my hand|hold it under cool water for ten minutes|Cool water takes away the heat.
am always late|set your clock ten minutes early and pack your bag in the evening|A calm morning needs a plan.
am nervous before a test|breathe slowly and begin with the easy questions|Small successes make you calm.
had a quarrel with my friend|say that you are sorry and listen to the other side|A good talk can mend much.
am new in town|join a club or say hello to the neighbours|People like to help newcomers.
want to learn to swim|take a course at the swimming pool|A teacher shows you safe ways.
want to eat healthier food|cook with more vegetables and less sugar|Fresh food keeps the body strong.
want to read more|carry a book with you everywhere|Ten pages a day make a dozen books a year.
want to get a dog|think about time, space and money first|A dog needs walks every day.
need a present for my mother|think of something she likes to do|A small thing with a card is often best.
spend too much money|write down every purchase for a month|You will soon see where it goes.
am bored on rainy days|draw a picture, bake biscuits or learn a card game|Busy hands make time pass quickly.
forget names|repeat a new name aloud when you hear it|Saying a word helps to remember it.
am afraid of dogs|begin with a small, calm dog on a lead|Fear gets smaller step by step.
want to speak better English|talk a little every day and do not fear mistakes|Practice makes a language grow.
lost my keys|go back in your mind to the last place where you used them|Many things turn up in a coat pocket.
miss my family|call them in the evening or write a long letter|Hearing a voice makes the distance smaller.
have too much work|write a list and do the most important thing first|One thing at a time is faster.
want to run faster|train three times a week and rest in between|Muscles grow while you rest.
get seasick|look at the horizon and stay in the fresh air|Your eyes and ears then agree.
have a sore throat|drink warm tea with honey|Warm drinks calm the throat.
found a wallet in the street|bring it to the police or call its owner|Somebody is surely looking for it.
broke a neighbour's window|tell the neighbour at once and offer to pay for it|Honest people are soon forgiven.
am going on a long flight|wear loose clothes and drink enough water|The air in a plane is very dry.
have nothing to cook with except eggs|make an omelette with a little salt|Eggs need only a few minutes.
""",
    3,
)

OPPOSITES = [
    tuple(pair.split("-"))
    for pair in """
big-small hot-cold tall-short fast-slow old-young heavy-light wet-dry loud-quiet rich-poor strong-weak hard-soft
full-empty clean-dirty early-late easy-difficult open-closed happy-sad brave-afraid cheap-expensive bright-dark
thick-thin wide-narrow deep-shallow sharp-blunt sweet-sour kind-cruel polite-rude right-wrong true-false safe-dangerous
healthy-ill near-far high-low first-last inside-outside above-below before-after always-never everything-nothing
begin-end buy-sell give-take push-pull laugh-cry win-lose arrive-leave remember-forget love-hate ask-answer
summer-winter morning-evening day-night north-south east-west front-back top-bottom friend-enemy question-answer
entrance-exit beginning-end war-peace wild-tame smooth-rough simple-complicated lazy-hard-working raw-cooked
visible-hidden awake-asleep alive-dead generous-mean possible-impossible""".split()
    if pair.count("-") == 1
]

# Members only ever belong to one category here, so that a question about it has one answer.
CATEGORIES = {
    key: [word.strip() for word in words.split(",")]
    for key, words in _rows(
        """
fruit|apple, banana, plum, melon, mango, lemon, pear, cherry, peach, grape, apricot, fig, pineapple, coconut
vegetable|carrot, cabbage, onion, potato, leek, turnip, broccoli, spinach, cauliflower, radish, celery, beetroot
drink|water, tea, coffee, milk, lemonade, cocoa, beer, wine, cider
bird|sparrow, owl, eagle, duck, swan, crow, robin, gull, stork, woodpecker, swallow, blackbird, heron
fish|trout, salmon, herring, cod, shark, tuna, carp, pike, eel
insect|ant, bee, wasp, beetle, fly, butterfly, mosquito, grasshopper, ladybird, moth
flower|rose, tulip, daisy, lily, sunflower, violet, daffodil, poppy, carnation, snowdrop
tree|oak, pine, birch, maple, willow, beech, poplar, chestnut, fir, ash
colour|red, blue, green, yellow, purple, grey, brown, pink, turquoise
piece of furniture|table, chair, sofa, wardrobe, bookshelf, stool, armchair, cupboard
piece of clothing|shirt, coat, skirt, jumper, sock, glove, dress, jacket, vest, pyjama top
tool|hammer, saw, screwdriver, drill, wrench, spanner, chisel, axe, file
vehicle|car, bus, lorry, tram, train, taxi, ambulance, motorbike, van, ferry, helicopter
musical instrument|piano, guitar, violin, trumpet, drum, flute, harp, cello, trombone
part of the body|knee, elbow, shoulder, ear, nose, chin, ankle, wrist, neck, thumb, toe, stomach
metal|iron, gold, silver, copper, tin, lead, zinc, aluminium
sport|tennis, football, hockey, rowing, boxing, judo, volleyball, handball, cricket, rugby
season|spring, summer, autumn, winter
kind of weather|rain, snow, fog, hail, thunder, sleet, drizzle
room|kitchen, bathroom, bedroom, hall, living room, nursery, study
school subject|mathematics, history, geography, biology, music, physics, chemistry, art
feeling|joy, fear, anger, pride, envy, surprise, shame, hope, grief
shape|circle, square, triangle, cube, oval, rectangle
job|nurse, plumber, lawyer, baker, pilot, tailor, butcher, dentist, sailor, carpenter
building|church, castle, hospital, school, factory, barn, tower, palace, cottage
family member|uncle, aunt, nephew, niece, cousin, grandfather, sister, son, daughter
spice|pepper, cinnamon, ginger, curry, nutmeg, saffron, vanilla
planet|Mars, Venus, Saturn, Jupiter, Neptune, Mercury
""",
        2,
    )
}

# What happened and what followed, each clause in the past; {n} is a person, {his} and {he} agree.
CHAINS = _rows(
    """
it rained for three days|the river rose|the path along the bank disappeared under water|{n} had to walk to work over
    the hill
{n} forgot to set the alarm|{he} woke up an hour late|the bus was already gone|{he} ran all the way to the office
{n} left a window open|the wind blew in|a vase fell off the sill|water ran over {his} homework
nobody watered the plants|the soil became dry|the leaves turned brown|{n} had to buy new flowers
{n} studied every evening|the words slowly stayed in {his} head|the test seemed easy|{he} got the best mark in class
the power went out|all the lights in the street died|{n} lit a candle|the family told stories round the table
it snowed all night|the roads were white|the school stayed closed|{n} built a huge snowman
{n} ate too much cake|{his} stomach began to hurt|{he} lay down on the sofa|{he} drank only tea that evening
a tree fell across the rails|the trains stood still|many people were late|{n} shared a taxi with three strangers
{n} left the milk on the table|it stood in the sun all day|it turned sour|there was none for {his} coffee
the baby was teething|it cried all night|nobody slept|{n} yawned through every meeting
{n} bought cheap shoes|the soles broke after a week|{his} feet got wet|{he} caught a cold
a ball hit the shop window|the glass broke|the owner came out|{n} said sorry and paid for the damage
{n} practised the piano daily|{his} fingers became quick|{his} teacher was impressed|{he} was asked to play at the
    concert
{n} forgot {his} sun hat|the sun burned down at noon|{his} nose turned red|{he} spent the evening with cream on {his}
    face
the bakery raised its prices|fewer people came|the owner had old bread left|{n} got two loaves for the price of one
{n} ran on the wet floor|{he} slipped|{he} hurt {his} knee|the nurse gave {him} a bandage
the battery was empty|the phone went dark|{n} could not call home|{his} parents began to worry
{n} helped an old woman with her bags|the two began to talk|they found out that they were neighbours|they drank tea
    every Sunday
the summer was very dry|the grass turned yellow|the farmer had little hay|{n} paid more for milk that winter
{n} planted one bean|it grew up the wall|it carried many pods|{he} cooked a big pot of soup
a cat slept on the keyboard|the computer wrote strange letters|an unfinished mail was sent|{n} had to explain the
    message
the bridge was closed|all cars used the small road|a long queue formed|{n} decided to take the bicycle
{n} saved a little each month|the jar filled slowly|after a year there was enough|{he} bought a ticket to the sea
""",
    4,
)

# Plans for stories: hobby (base form), what it needs, what goes wrong (past), what helps (past, {n2} helps).
HOBBIES = _rows(
    """
swim|a towel|the water felt cold and deep|{n2} held {his} hands until {he} could float
ride a bicycle|a helmet|{he} fell on the grass three times|{n2} ran beside {him} and held the seat
bake bread|flour and yeast|the first loaf was as hard as a stone|{n2} showed {him} how long the dough must rest
play the guitar|a guitar|the strings hurt {his} fingers|{n2} taught {him} one easy song
paint portraits|brushes and paint|every nose came out too long|{n2} sat still for an hour and laughed at the results
speak Spanish|a small dictionary|the verbs would not stay in {his} head|{n2} spoke nothing but Spanish at lunch
skate|a pair of skates|{his} legs shook on the ice|{n2} skated backwards and pulled {him} along
knit|wool and two needles|the scarf got wider and wider|{n2} counted the stitches with {him}
dance|light shoes|{he} stepped on every foot in the room|{n2} counted the beat aloud
play chess|a board and a clock|{he} lost every game in ten moves|{n2} explained one opening move a day
take photos|a camera|all the pictures were dark|{n2} told {him} to stand with the sun behind {him}
grow roses|a spade and gloves|greenfly covered the buds|{n2} brought ladybirds in a jar
fish|a rod and a hook|not one fish bit for hours|{n2} knew a quiet corner of the lake
sing in a choir|a song book|{his} voice was too quiet|{n2} stood beside {him} and gave {him} courage
write poems|a notebook|no line seemed to rhyme|{n2} told {him} that poems need not rhyme
repair radios|a screwdriver and tiny screws|sparks flew out of the first one|{n2} showed {him} which wire was loose
juggle|three balls|the balls rolled under the sofa|{n2} told {him} to begin with two
drive a car|a learner's permit|the engine stopped at every corner|{n2} spoke calmly from the next seat
program computers|a computer|the program stopped at every line|{n2} found a missing sign in the code
climb|a rope and strong shoes|{he} looked down and felt dizzy|{n2} called up where to put each foot
""",
    4,
)

# Small finds and losses in stories: thing, possible places, and what is done with it (past).
WEATHER = _rows(
    """
sunny|the sun was shining|warm|sunglasses|hang out the washing
rainy|it was raining|wet|an umbrella|visit a museum
windy|a strong wind was blowing|cool|a warm jacket|fly a kite
snowy|it was snowing|cold|boots and gloves|build a snowman
foggy|thick fog lay over the streets|damp|a bright coat|drive slowly
stormy|thunder rolled over the roofs|rough|a raincoat|stay indoors
hot|the air was hot and still|very hot|a sun hat|swim in the lake
cloudy|grey clouds covered the sky|mild|a light jumper|go for a long walk
frosty|there was ice on the windows|freezing|a woollen hat|skate on the pond
""",
    5,
)

OPINIONS = _rows(
    """
reading books|watching television|a book lets you make your own pictures|you can read at your own speed|books need no
    power
living in a city|living in a village|there are more shops and jobs|buses run late at night|you meet all sorts of people
living in a village|living in a city|the air is cleaner|neighbours know one another|rents are lower
travelling by train|travelling by car|you can read or sleep on the way|there is no need to find a parking place|it is
    better for the air
cooking at home|eating in restaurants|it costs much less|you know what is in the food|the kitchen smells wonderful
getting up early|staying in bed late|the streets are still quiet|the mind is fresh|there is time for a good breakfast
keeping a cat|keeping a dog|a cat does not need walks|it keeps mice away|it is quiet and clean
keeping a dog|keeping a cat|a dog gets you out of the house|it guards the door|it is always happy to see you
riding a bicycle|taking the bus|it keeps you fit|you never wait at a stop|it costs almost nothing
writing letters|sending short messages|a letter can be kept for years|writing by hand makes you think|everyone enjoys
    real post
summer|winter|the days are long|you can swim outdoors|nobody needs heavy coats
winter|summer|snow makes everything quiet|hot cocoa tastes best then|there are no mosquitoes
playing in a team|training alone|others cheer you up|you learn to share|you make friends
working from home|working in an office|no time is lost on the road|you can choose your own music|lunch is cheaper
shopping at the market|shopping online|you can touch and taste things|the sellers give advice|you hear the news of the
    town
old furniture|new furniture|it has a story to tell|it was built to last|it is often cheaper
""",
    5,
)
