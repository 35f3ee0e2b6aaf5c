"""What the sample catalogue sells: kinds with their place in the taxonomy, colours, and plausible attributes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from components.catalogue.sample import accessories, apparel
from components.catalogue.sample.apparel import Vary
from components.catalogue.sample.canvas import Canvas, Colour
from schema import names


@dataclass(frozen=True)
class Kind:
    """One article type: its path in the taxonomy, how often it is sold, how it looks and is described."""

    article_type: str
    sub_category: str
    master_category: str
    weight: int
    noun: str
    silhouette: Callable[[Canvas, Colour, Colour, Vary], None]
    genders: tuple[str, ...] = ("Men", "Women")
    usages: tuple[str, ...] = ("Casual",)
    patterned: bool = False
    tilt: float = 8.0


KINDS = (
    Kind("Tshirts", "Topwear", "Apparel", 70, "T-shirt", apparel.tshirt, usages=("Casual", "Sports"), patterned=True),
    Kind("Shirts", "Topwear", "Apparel", 52, "Shirt", apparel.shirt, usages=("Casual", "Formal"), patterned=True),
    Kind("Trousers", "Bottomwear", "Apparel", 32, "Trousers", apparel.trousers, usages=("Formal", "Casual"), tilt=5),
    Kind("Shorts", "Bottomwear", "Apparel", 24, "Shorts", apparel.shorts, usages=("Casual", "Sports"), patterned=True),
    Kind("Skirts", "Bottomwear", "Apparel", 20, "Skirt", apparel.skirt, ("Women", "Girls"), patterned=True),
    Kind("Dresses", "Dress", "Apparel", 30, "Dress", apparel.dress, ("Women", "Girls"), patterned=True),
    Kind("Casual Shoes", "Shoes", "Footwear", 52, "Sneakers", accessories.casual_shoe),
    Kind("Heels", "Shoes", "Footwear", 34, "Heels", accessories.heel, ("Women",), ("Casual", "Party")),
    Kind("Flip Flops", "Flip Flops", "Footwear", 26, "Flip Flops", accessories.flip_flops),
    Kind("Watches", "Watches", "Accessories", 48, "Watch", accessories.watch, tilt=12),
    Kind("Handbags", "Bags", "Accessories", 40, "Handbag", accessories.handbag, ("Women",)),
    Kind("Backpacks", "Bags", "Accessories", 28, "Backpack", accessories.backpack, ("Unisex", "Men", "Women")),
    Kind("Sunglasses", "Eyewear", "Accessories", 32, "Sunglasses", accessories.sunglasses, tilt=12),
    Kind("Belts", "Belts", "Accessories", 26, "Belt", accessories.belt, usages=("Casual", "Formal"), tilt=14),
    Kind("Caps", "Headwear", "Accessories", 18, "Cap", accessories.cap, ("Unisex", "Men"), ("Casual", "Sports")),
    Kind("Ties", "Ties", "Accessories", 14, "Tie", apparel.tie, ("Men",), ("Formal",), patterned=True, tilt=14),
    Kind("Lipstick", "Lips", "Personal Care", 20, "Lipstick", accessories.lipstick, ("Women",), tilt=16),
    Kind("Perfume and Body Mist", "Fragrance", "Personal Care", 34, "Eau de Toilette", accessories.perfume, tilt=5),
)

COLOURS: dict[str, Colour] = {
    "Black": (38, 38, 42),
    "White": (232, 232, 228),
    "Blue": (52, 98, 178),
    "Navy Blue": (34, 44, 88),
    "Red": (186, 40, 48),
    "Green": (58, 130, 78),
    "Grey": (136, 138, 142),
    "Brown": (118, 78, 50),
    "Beige": (208, 188, 156),
    "Pink": (222, 120, 158),
    "Purple": (112, 70, 142),
    "Yellow": (226, 192, 62),
    "Orange": (224, 124, 48),
    "Teal": (44, 132, 138),
}
BRANDS = (
    "Alder",
    "Brightwater",
    "Corvane",
    "Dovetail",
    "Elmsworth",
    "Fennick",
    "Greyling",
    "Harbour & Hale",
    "Ivory Lane",
    "Juniper",
)
LINES = ("Classic", "City", "Everyday", "Weekend", "Studio", "Trail", "Heritage", "Light", "Soft", "Urban")
SEASONS = ("Summer", "Fall", "Winter", "Spring")
YEARS = range(2010, 2020)


@dataclass(frozen=True)
class Product:
    """A product: its kind, its two colours and its columns of ``styles.csv``, the id apart."""

    kind: Kind
    body: Colour
    trim: Colour
    columns: dict[str, str]


def invent(kind: Kind, rng: np.random.Generator) -> Product:
    """A product of ``kind`` with a name, colours and attributes that go together."""
    base, second = (str(colour) for colour in rng.choice(list(COLOURS), 2, replace=False))
    gender = str(rng.choice(kind.genders))
    columns = {
        names.GENDER: gender,
        names.MASTER_CATEGORY_LABEL: kind.master_category,
        names.SUB_CATEGORY_LABEL: kind.sub_category,
        names.ARTICLE_TYPE_LABEL: kind.article_type,
        names.BASE_COLOUR: base,
        names.SEASON: str(rng.choice(SEASONS, p=[0.48, 0.26, 0.18, 0.08])),
        names.YEAR: str(rng.choice(YEARS)),
        names.USAGE: str(rng.choice(kind.usages)),
        names.PRODUCT_NAME: f"{rng.choice(BRANDS)} {gender} {rng.choice(LINES)} {base} {kind.noun}",
    }
    return Product(kind, _shade(COLOURS[base], rng), _shade(COLOURS[second], rng), columns)


def _shade(colour: Colour, rng: np.random.Generator) -> Colour:
    """The colour of one dye lot."""
    red, green, blue = (int(channel) for channel in np.clip(np.array(colour) + rng.normal(0, 10, 3), 0, 235))
    return red, green, blue
