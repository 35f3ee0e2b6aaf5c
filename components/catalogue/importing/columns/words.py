"""What columns are called in shops: for each role, names in several languages, the surest first."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from schema import heads, names

PICTURE: Final = "picture"
PARENT: Final = "parent"

ROLES: Final = (
    names.ID,
    PICTURE,
    PARENT,
    names.ARTICLE_TYPE_LABEL,
    names.SUB_CATEGORY_LABEL,
    names.MASTER_CATEGORY_LABEL,
    names.GENDER,
    names.BASE_COLOUR,
    names.SEASON,
    names.YEAR,
    names.USAGE,
    names.PRODUCT_NAME,
    names.SPLIT_COLUMN,
)
"""What a column may be of use for; but for the picture and the parent, by its name in ``styles.csv``."""

OPTIONS: Final = {
    **{role: f"--{role}" for role in ROLES},
    names.ARTICLE_TYPE_LABEL: "--article-type",
    names.SUB_CATEGORY_LABEL: "--sub-category",
    names.MASTER_CATEGORY_LABEL: "--master-category",
    names.BASE_COLOUR: "--base-colour",
    names.PRODUCT_NAME: "--name",
}
"""Role → the option of the command line that names its column."""

SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    role: tuple(words.split())
    for role, words in {
        names.ID: """
            id sku sellersku itemsku productid articleid itemid handle articlenumber articleno productnumber
            productcode
            itemcode itemnumber stylenumber styleid artikelnummer artikelnr artnr artikelid produktid produktnummer
            bestellnummer reference ref refproduit codearticle idproduit referencia codigo idproducto codice
            codicearticolo idprodotto artikelcode numerartykulu kodproduktu uid uuid ean gtin barcode code number
            nummer asin mpn uniqid uniqueid key
            артикул ид 商品番号 品番 编号 货号""",
        PICTURE: """
            picture image imagepath imagefile imagefilename filename filepath picturepath imageurl pictureurl photourl
            imagesrc imagelink mainimage mainimageurl baseimage primaryimage featuredimage images photo photos img
            imgurl imgpath coverimage coverimageurl covermediaurl productimage productimageurl productimagefile1
            hostedimageurls media mediaurl pictureurl1 imageurl1 imurl
            image1 thumbnail variantimage cocourl bild bilddatei bildname bildurl bildlink produktbild hauptbild bilder
            bild1 bildpfad dateiname foto fotourl fotos photoprincipale lienimage urlimage imageprincipale fichier
            fichierimage imagen imagenurl urlimagen archivo immagine urlimmagine percorsoimmagine afbeelding
            afbeeldingurl afbeeldingsurl zdjecie zdjecia urlzdjecia imagem path file url datei
            изображение картинка фото 画像 图片 图像""",
        PARENT: """
            parent parentsku parentid parentproduct parentproductid parentproductnumber parentproductsku parentitem
            parentcode parenthandle parentreference parentasin masterid mastersku modelcode variantof elternartikel
            elternproduct elternsku ubergeordnetesprodukt vaterartikel genitore hoofdproduct
            urlhandle handle handleid itemgroupid""",
        names.ARTICLE_TYPE_LABEL: """
            articletype producttype itemtype garmenttype clothingtype producttypename articletypename warengruppe
            artikelart artikeltyp produkttyp produktart warenart typeproduit typedeproduit typearticle typedarticle
            tipoproducto tipodeproducto tipoarticulo tipoprodotto tipoarticolo producttypes soortproduct productsoort
            typproduktu rodzajproduktu tipoproduto type typ tipo soort rodzaj тип""",
        names.SUB_CATEGORY_LABEL: """
            subcategory subcategoryname category2 categorylevel2 unterkategorie unterwarengruppe untergruppe
            kategorie2 souscategorie subcategoria sottocategoria subcategorie podkategoria подкатегория
            サブカテゴリ 子类别""",
        names.MASTER_CATEGORY_LABEL: """
            mastercategory maincategory topcategory parentcategory supercategory category1 categorylevel1 department
            division hauptkategorie oberkategorie hauptwarengruppe kategorie1 abteilung categorieprincipale
            categorieparente rayon departement categoriaprincipal departamento categoriaprincipale reparto
            hoofdcategorie afdeling kategoriaglowna dzial главнаякатегория productgroupname""",
        names.GENDER: """
            gender sex targetgender geschlecht zielgruppe genre sexe genero sexo genere sesso geslacht plec пол 性別
            性别""",
        names.BASE_COLOUR: """
            basecolour basecolor colour color maincolour maincolor colourname colorname colourgroupname colorgroupname
            grundfarbe farbe hauptfarbe couleur couleurprincipale colorprincipal colore kleur kolor cor цвет 色 颜色""",
        names.SEASON: "season saison temporada stagione seizoen sezon estacion сезон シーズン 季节",
        names.YEAR: "year jahr annee ano anno jaar rok год 年",
        names.USAGE: "usage occasion verwendung anlass nutzung usageproduit uso ocasion occasione gelegenheid okazja",
        names.PRODUCT_NAME: """
            productdisplayname productname displayname title name producttitle itemname bezeichnung artikelbezeichnung
            produktname produktbezeichnung artikelname titel nom nomproduit titre designation libelle nombre
            prodname nombreproducto titulo nome nomeprodotto titolo naam productnaam nazwa nazwaproduktu
            название наименование 商品名 名称""",
        names.SPLIT_COLUMN: "split subset partition datasplit dataset set fold aufteilung",
    }.items()
}

_GENERIC: Final = """
    category categoryname productcategory googleproductcategory categories kategorie produktkategorie warenkategorie
    kategorien categorie categories categoria categorias categorieproduit kategoria categoriaproducto gruppe
    produktgruppe productgroup group label labels class classname classlabel klasse etikett classe clase target tag
    категория カテゴリ 类别
    categorypath categorypaths categorytree productcategorytree productcategorypath breadcrumb breadcrumbs
    kategoriepfad taxonomy categorylabel
"""
GENERIC: Final = tuple(_GENERIC.split())
"""Names of a label of any level."""
PERHAPS: Final = (
    *("choice", "choices", "family", "familie", "productfamily", "attributesetcode"),
    *("collection", "collections", "kollektion"),
)
"""Names of what may be a label, or a brand or a season."""
OF_MODELS: Final = (
    *("artno", "itemno", "productno", "styleno", "stylecode", "modelno", "modelnumber", "modellnummer", "customlabel"),
)
"""Names of numbers that are ids only where no two rows share one: elsewhere all colours of a model have the same."""

BETWEEN: Final = " … "
"""In the name of a column of labels that were columns of their own, and have no common name."""

_REMARK: Final = re.compile(r"\s*(?:\((?!\d+\))[^()]*\)|\[[^\[\]]*\])")
"""A unit, a language or a mark in brackets; a number there tells columns of one name apart."""
_AROUND: Final = re.compile(
    r"^\W?\w{1,10}:(?=\S)|^(?:(?:data|fields?|items?\d{0,2}|products?|node|(?:(?:region|file)_)?attributes|regions|"
    r"properties|metadata|record|values?)\.)+",
    re.IGNORECASE,
)
"""A space of names, and objects that any field may lie in."""
_INSIDE: Final = re.compile(r"\.(?:type_?name|display_?name|name|label|title|value)$", re.IGNORECASE)
"""What an object says of itself."""
_LETTERS: Final = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})


def key(name: str) -> str:
    """A column's name without case, accents, spaces and punctuation: ``Référence n°`` is ``referencen``."""
    letters = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return "".join(letter for letter in letters if letter.isalnum())


def bare_key(name: str) -> str:
    """The same without what it stands in: ``C:Type`` and ``data.type`` are ``type``."""
    return key(_AROUND.sub("", _REMARK.sub("", name)))


def inner_key(name: str) -> str:
    """The same of what an object says of itself: ``data.type.name`` is ``type``."""
    return key(_INSIDE.sub("", _AROUND.sub("", _REMARK.sub("", name))))


def plain_key(name: str) -> str:
    """The same without a remark in brackets: ``Bezeichnung (de)`` is ``bezeichnung``."""
    return key(_REMARK.sub("", name))


_LABELS: Final = frozenset(
    (*GENERIC, *PERHAPS, *(word for level in heads.columns() for word in (key(level), *SYNONYMS[level])))
)


def tells_label(columns: Iterable[str]) -> bool:
    """Whether one of these columns has the name of a label, of whatever level."""
    return any(name(column) in _LABELS for column in columns for name in (key, bare_key, inner_key))
