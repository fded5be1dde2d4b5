"""The rest of THE table: the things a dataset's record is made of, class by class. See `catalog.fields`."""

from dataclasses import dataclass
from typing import Any

from catalog.dataset import (
    Activity,
    Agent,
    ContactPoint,
    Dataset,
    Distribution,
    Kind,
    PeriodOfTime,
    Provenance,
    Statement,
)
from catalog.fields import DATASET, MANY, ONE, Field, Form, M, O
from catalog.quality import Metric, QualityLabel
from catalog.values import Said
from catalog.variables import Variable, VariableGroup, VariableTable
from catalog.vocabularies import EU, HEALTH

_T, _S, _I, _N = Form.TEXT, Form.STRING, Form.IRI, Form.NODE


@dataclass(frozen=True)
class NodeClass:
    """One class of the profile: its name, the Python type that holds it, its RDF class, its rows of the table.

    `any_of` are fields of which one must be there (each is optional alone).
    """

    name: str
    holds: type[Any]
    term: str
    fields: tuple[Field, ...]
    any_of: tuple[str, ...] = ()


# fmt: off
_NAME = Field("name", "foaf:name", _T, MANY, (M, M), Said("Name", "Nom"),
              Said("Name of the organisation.", "Nom de l'organisme."), only_base=True)
_CONTACT = Field("contact", "cv:contactPoint", _N, ONE, (M, M), Said("Contact", "Contact"),
                 Said("How the organisation is reached.", "Comment joindre l'organisme."), node="ContactPoint")
_AGENT_TYPE = Field("type", "dct:type", _I, ONE, (O, O), Said("Kind of organisation", "Type d'organisme"),
                    Said("From the list of publisher types.", "De la liste des types d'éditeurs."))
_PUBLISHER_TYPE = Field("type", "dct:type", _I, ONE, (O, O), Said("Kind of organisation", "Type d'organisme"),
                        Said("From the list of publisher types.", "De la liste des types d'éditeurs."),
                        base=HEALTH + "publisher-type/")
_NOTE = Field("description", "dct:description", _T, ONE, (O, O), Said("Note", "Note"),
              Said("A note on the organisation.", "Une note sur l'organisme."))
_TITLE = Field("title", "dct:title", _T, MANY, (O, O), Said("Title", "Intitulé"), Said("Its name.", "Son nom."))
_DESCRIPTION = Field("description", "dct:description", _T, MANY, (O, O), Said("Description", "Description"),
                     Said("What it is, in words.", "Ce que c'est, en mots."))
_LABEL = Field("label", "rdfs:label", _T, MANY, (O, O), Said("Statement", "Énoncé"), Said("In words.", "En mots."))
_SOURCES = Field("sources", "dct:source", _I, MANY, (O, O), Said("Legal source", "Source juridique"),
                 Said("Address of the law.", "Adresse du texte."))

_DISTRIBUTION = (
    Field("access_url", "dcat:accessURL", _I, MANY, (M, M), Said("Access address", "Adresse d'accès"),
          Said("Where the data can be had or asked for.", "Où obtenir ou demander les données."), only_base=True),
    _TITLE, _DESCRIPTION,
    Field("applicable_legislation", "dcatap:applicableLegislation", _I, MANY, (M, M),
          Said("Applicable legislation", "Législation applicable"),
          Said("The law it is made available under.", "Le texte fondant la mise à disposition."),
          value_type="eli:LegalResource"),
    Field("format", "dct:format", _I, ONE, (O, O), Said("File type", "Type de fichier"),
          Said("From the European list.", "De la liste européenne."),
          value_type="dct:MediaTypeOrExtent", base=EU + "file-type/"),
    Field("media_type", "dcat:mediaType", _I, ONE, (O, O), Said("Media type", "Type de média"),
          Said("From the IANA list.", "De la liste IANA."), value_type="dct:MediaType"),
    Field("language", "dct:language", _I, MANY, (O, O), Said("Language", "Langue"),
          Said("Languages of the data.", "Langues des données."),
          value_type="dct:LinguisticSystem", base=EU + "language/"),
    Field("status", "adms:status", _I, ONE, (O, O), Said("Status", "État"),
          Said("Complete, in development, withdrawn.", "Complet, en développement, retiré."),
          base=EU + "distribution-status/"),
    Field("availability", "dcatap:availability", _I, ONE, (O, O), Said("Availability", "Disponibilité"),
          Said("How long it will stay.", "Combien de temps elle restera."), base=EU + "planned-availability/"),
    Field("rights", "dct:rights", _N, ONE, (O, O), Said("Rights", "Droits"),
          Said("Who may use it and how.", "Qui peut l'utiliser et comment."), node="Rights"),
    Field("modified", "dct:modified", Form.DATE, ONE, (O, O), Said("Changed on", "Modifié le"),
          Said("Day of the last change.", "Jour de la dernière modification.")),
)

_CONTACT_POINT = (
    Field("email", "cv:email", _S, MANY, (O, O), Said("E-mail", "Courriel"), Said("An address.", "Une adresse.")),
    Field("page", "cv:contactPage", _I, MANY, (O, O), Said("Contact page", "Page de contact"),
          Said("A page with a form.", "Une page avec formulaire.")),
    Field("telephone", "cv:telephone", _S, MANY, (O, O), Said("Telephone", "Téléphone"),
          Said("A number.", "Un numéro.")),
)

_KIND = (
    Field("email", "vcard:hasEmail", Form.MAILBOX, ONE, (O, O), Said("E-mail", "Courriel"),
          Said("An address.", "Une adresse.")),
    Field("url", "vcard:hasURL", _I, ONE, (O, O), Said("Contact page", "Page de contact"),
          Said("A page with a form.", "Une page avec formulaire.")),
    Field("name", "vcard:fn", _S, ONE, (O, O), Said("Name", "Nom"), Said("Of the desk.", "Du service.")),
)

_PERIOD = (
    Field("start", "dcat:startDate", Form.DATE, ONE, (O, O), Said("First day", "Premier jour"),
          Said("First day.", "Premier jour.")),
    Field("end", "dcat:endDate", Form.DATE, ONE, (O, O), Said("Last day", "Dernier jour"),
          Said("Last day.", "Dernier jour.")),
)

_LABEL_OF_QUALITY = (
    Field("scheme", "dcat:version", _S, ONE, (O, O), Said("Scheme", "Barème"),
          Said("Version of the label's elements.", "Version des éléments du label.")),
    Field("state", "adms:status", _S, ONE, (O, O), Said("State", "État"),
          Said("Self-declared, confirmed, revoked.", "Déclaré, confirmé, révoqué.")),
    Field("issued", "dct:issued", Form.DATE, ONE, (O, O), Said("Issued on", "Établi le"), Said("Day.", "Jour.")),
    Field("documents", "oa:hasBody", _I, MANY, (O, O), Said("Document", "Document"),
          Said("A page that explains the label.", "Une page qui explique le label.")),
    Field("metrics", "dqv:hasQualityMeasurement", _N, MANY, (O, O), Said("Metric", "Mesure"),
          Said("What was measured.", "Ce qui a été mesuré."), node="Metric"),
)

_METRIC = (
    Field("element", "skos:notation", _S, ONE, (M, M), Said("Element", "Élément"),
          Said("Letter of Article 78(3).", "Lettre de l'article 78(3).")),
    Field("name", "dct:title", _S, ONE, (M, M), Said("Metric", "Mesure"), Said("Its name.", "Son nom.")),
    Field("method", "dct:description", _S, ONE, (M, M), Said("Method", "Méthode"),
          Said("How it was measured.", "Comment elle a été faite.")),
    Field("value", "dqv:value", Form.DECIMAL, ONE, (M, M), Said("Value", "Valeur"), Said("Number.", "Nombre.")),
)

_GROUP = (
    Field("title", "dct:title", _T, MANY, (M, M), Said("Title", "Intitulé"),
          Said("Name of the dictionary.", "Nom du dictionnaire.")),
    Field("tables", "csvw:table", _N, MANY, (M, M), Said("Table", "Table"),
          Said("The tables of the dataset.", "Les tables du jeu de données."), node="VariableTable", ordered=True),
)

_TABLE = (
    Field("name", "csvw:name", _S, ONE, (O, O), Said("Name", "Nom"),
          Said("Name in queries.", "Nom dans les requêtes.")),
    Field("title", "dct:title", _T, MANY, (M, M), Said("Title", "Intitulé"), Said("Its name.", "Son nom.")),
    _DESCRIPTION,
    Field("url", "csvw:url", _I, ONE, (O, O), Said("Address", "Adresse"), Said("Its page.", "Sa page.")),
    Field("keyword", "dcat:keyword", _T, MANY, (O, O), Said("Keyword", "Mot-clé"), Said("Words.", "Mots.")),
    Field("variables", "csvw:column", _N, MANY, (M, M), Said("Variable", "Variable"),
          Said("The variables of the table.", "Les variables de la table."), node="Variable", ordered=True),
)

_VARIABLE = (
    Field("name", "csvw:name", _S, ONE, (M, M), Said("Name", "Nom"),
          Said("Name in queries.", "Nom dans les requêtes.")),
    Field("title", "csvw:title", _T, MANY, (M, M), Said("Title", "Intitulé"),
          Said("For people.", "Pour les personnes.")),
    Field("description", "dct:description", _T, MANY, (M, M), Said("Description", "Description"),
          Said("What it means.", "Ce qu'elle signifie.")),
    Field("datatype", "csvw:datatype", _S, ONE, (M, M), Said("Data type", "Type de donnée"),
          Said("Such as string, integer, date.", "Tel que string, integer, date.")),
    Field("property_url", "csvw:propertyUrl", _I, ONE, (O, O), Said("Meaning", "Sens"),
          Said("Address of the concept.", "Adresse du concept.")),
    Field("required", "csvw:required", Form.BOOLEAN, ONE, (O, O), Said("Always filled", "Toujours renseignée"),
          Said("Whether it may be missing.", "Si elle peut manquer.")),
    Field("minimum", "csvw:minimum", Form.BOUND, ONE, (O, O), Said("Smallest", "Minimum"),
          Said("Declared bound.", "Borne déclarée.")),
    Field("maximum", "csvw:maximum", Form.BOUND, ONE, (O, O), Said("Largest", "Maximum"),
          Said("Declared bound.", "Borne déclarée.")),
    Field("unit", "schema:unitText", _S, ONE, (O, O), Said("Unit", "Unité"), Said("Unit.", "Unité.")),
    Field("code_system", "schema:codingSystem", _S, ONE, (O, O), Said("Coding system", "Système de codage"),
          Said("Where its codes come from.", "D'où viennent ses codes.")),
    Field("codes", "qb:codeList", Form.CODE, MANY, (O, O), Said("Codes", "Codes"),
          Said("Its closed list of values.", "Sa liste fermée de valeurs.")),
)
# fmt: on

_AGENT = (_NAME, _CONTACT, _AGENT_TYPE, _NOTE)

CLASSES: dict[str, NodeClass] = {
    node.name: node
    for node in (
        NodeClass("Dataset", Dataset, "dcat:Dataset", DATASET),
        NodeClass("Distribution", Distribution, "dcat:Distribution", _DISTRIBUTION),
        NodeClass("Agent", Agent, "foaf:Agent", _AGENT),
        NodeClass("Publisher", Agent, "foaf:Agent", (_NAME, _CONTACT, _PUBLISHER_TYPE, _NOTE)),
        NodeClass("ContactPoint", ContactPoint, "cv:ContactPoint", _CONTACT_POINT, any_of=("email", "page")),
        NodeClass("Kind", Kind, "vcard:Kind", _KIND, any_of=("email", "url")),
        NodeClass("PeriodOfTime", PeriodOfTime, "dct:PeriodOfTime", _PERIOD),
        NodeClass("Provenance", Provenance, "dct:ProvenanceStatement", (_LABEL,)),
        NodeClass("Rights", Provenance, "dct:RightsStatement", (_LABEL,)),
        NodeClass("Purpose", Statement, "dpv:Purpose", (_DESCRIPTION, _SOURCES)),
        NodeClass("LegalBasis", Statement, "dpv:LegalBasis", (_DESCRIPTION, _SOURCES)),
        NodeClass(
            "Activity",
            Activity,
            "prov:Activity",
            (
                _LABEL,
                Field(
                    "types",
                    "dct:type",
                    _I,
                    MANY,
                    (O, O),
                    Said("Kind of activity", "Type d'activité"),
                    Said("From the list of health activities.", "De la liste des activités de santé."),
                    base=HEALTH + "health-activity/",
                ),
            ),
        ),
        NodeClass("QualityLabel", QualityLabel, "dqv:QualityCertificate", _LABEL_OF_QUALITY),
        NodeClass("Metric", Metric, "dqv:QualityMeasurement", _METRIC),
        NodeClass("VariableGroup", VariableGroup, "csvw:TableGroup", _GROUP),
        NodeClass("VariableTable", VariableTable, "csvw:Table", _TABLE),
        NodeClass("Variable", Variable, "csvw:Column", _VARIABLE),
    )
}
"""Every class of a record by name. Recommended is only said of the dataset's own fields, as in the profile."""
