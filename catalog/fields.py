"""THE table: every field of a record, its RDF term, how often it may stand, where its values come from, its name.

The typed record (`catalog.dataset`), RDF in and out (`catalog.healthdcat`), our own check and the words of every
finding (`catalog.validation`) read it; so can a form and a printed page. Cardinalities are those of Release 8.
"""

from dataclasses import dataclass
from enum import Enum

from catalog.values import Said
from catalog.vocabularies import CODING_SYSTEMS, EU, HEALTH, HEALTH_THEMES, AccessRight, DataTheme, HealthCategory


class Form(Enum):
    """How one value of a field is written in RDF."""

    TEXT = "text with language"
    STRING = "text"
    IRI = "address"
    MAILBOX = "mailto address"
    BOOLEAN = "true or false"
    COUNT = "whole number from 0"
    DECIMAL = "decimal number"
    DATE = "date"
    BOUND = "number or date"
    DURATION = "duration"
    CODE = "code with label"
    NODE = "described thing"


class Need(Enum):
    """What a level asks of a field."""

    MANDATORY = "mandatory"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"
    IF_STRUCTURED = "mandatory if the data are structured"


M, R, O, S = Need.MANDATORY, Need.RECOMMENDED, Need.OPTIONAL, Need.IF_STRUCTURED  # noqa: E741


@dataclass(frozen=True)
class Field:
    """One row. `needs` are for public and restricted records, and for non-public ones.

    `node` names the class of a described thing in `CLASSES`, `value_type` the class stated of an address. `base` is the
    list an address must start with, `closed` all it may be, `must` one that has to be among them. `only_base` is true
    for what DCAT-AP asks and the Release 8 files do not test. `ordered` keeps the order of things.
    """

    name: str
    term: str
    form: Form
    many: bool
    needs: tuple[Need, Need]
    label: Said
    help: Said
    node: str = ""
    value_type: str = ""
    base: str = ""
    closed: frozenset[str] = frozenset()
    must: str = ""
    only_base: bool = False
    ordered: bool = False

    def need(self, level: AccessRight) -> Need:
        """What the access level asks of this field."""
        return self.needs[level is AccessRight.NON_PUBLIC]


_T, _S, _I, _N, _C, _D = Form.TEXT, Form.STRING, Form.IRI, Form.NODE, Form.COUNT, Form.DATE
ONE, MANY = False, True

# fmt: off
DATASET: tuple[Field, ...] = (
    Field("title", "dct:title", _T, MANY, (M, M), Said("Title", "Intitulé"),
          Said("What the dataset is called.", "Le nom du jeu de données."), only_base=True),
    Field("description", "dct:description", _T, MANY, (M, M), Said("Description", "Description"),
          Said("What the data are about, in a few sentences.", "De quoi traitent les données, en quelques phrases."),
          only_base=True),
    Field("identifier", "dct:identifier", _S, MANY, (M, M), Said("Identifier", "Identifiant"),
          Said("A stable identifier, such as the catalogue number.",
               "Un identifiant stable, tel le numéro de catalogue.")),
    Field("access_rights", "dct:accessRights", _I, ONE, (M, M), Said("Access rights", "Droits d'accès"),
          Said("Public, restricted or non-public.", "Public, restreint ou non public."),
          value_type="dct:RightsStatement", base=EU + "access-right/", closed=frozenset(AccessRight)),
    Field("applicable_legislation", "dcatap:applicableLegislation", _I, MANY, (M, M),
          Said("Applicable legislation", "Législation applicable"),
          Said("The law the record is made under; for this space Regulation (EU) 2025/327.",
               "Le texte fondant la notice ; pour cet espace, le règlement (UE) 2025/327."),
          value_type="eli:LegalResource"),
    Field("distribution", "dcat:distribution", _N, MANY, (M, M), Said("Distribution", "Distribution"),
          Said("How the data can be had or asked for.", "Comment obtenir ou demander les données."),
          node="Distribution"),
    Field("theme", "dcat:theme", _I, MANY, (M, M), Said("Theme", "Thème"),
          Said("European data themes; Health is always one.", "Thèmes européens ; la santé en fait toujours partie."),
          base=EU + "data-theme/", must=DataTheme.HEAL.value),
    Field("hdab", "healthdcatap:hdab", _N, ONE, (M, M),
          Said("Health data access body", "Organisme d'accès aux données"),
          Said("The authority that decides on access.", "L'autorité qui décide de l'accès."), node="Agent"),
    Field("health_category", "healthdcatap:healthCategory", _I, MANY, (M, M),
          Said("Health data category", "Catégorie de données de santé"),
          Said("One or more of the categories of Article 51(1).", "Une ou plusieurs catégories de l'article 51(1)."),
          base=HEALTH + "healthcategories/", closed=frozenset(HealthCategory)),
    Field("has_structured_data", "healthdcatap:hasStructuredData", Form.BOOLEAN, ONE, (M, M),
          Said("Structured data", "Données structurées"),
          Said("Whether the data are in tables with described variables.",
               "Si les données sont en tables aux variables décrites.")),
    Field("variables", "healthdcatap:hasVariables", _N, ONE, (S, S), Said("Variables", "Variables"),
          Said("The data dictionary: tables and variables.", "Le dictionnaire des données : tables et variables."),
          node="VariableGroup"),
    Field("contact_point", "dcat:contactPoint", _N, MANY, (R, M), Said("Contact point", "Point de contact"),
          Said("Whom to ask about the dataset.", "À qui poser des questions sur le jeu de données."), node="Kind"),
    Field("keyword", "dcat:keyword", _T, MANY, (R, M), Said("Keyword", "Mot-clé"),
          Said("Words people will search for.", "Les mots que l'on cherchera.")),
    Field("type", "dct:type", _I, MANY, (O, M), Said("Type of dataset", "Type de jeu de données"),
          Said("From the European list, for example personal data.",
               "De la liste européenne, par exemple données personnelles."), base=EU + "dataset-type/"),
    Field("provenance", "dct:provenance", _N, MANY, (O, M), Said("Provenance", "Provenance"),
          Said("Where the data come from and how they were made.",
               "D'où viennent les données, comment elles sont faites."),
          node="Provenance"),
    Field("publisher", "dct:publisher", _N, ONE, (O, O), Said("Publisher", "Éditeur"),
          Said("Who publishes the dataset.", "Qui publie le jeu de données."), node="Publisher"),
    Field("custodian", "geodcatap:custodian", _N, ONE, (R, R), Said("Data holder", "Détenteur des données"),
          Said("The organisation that holds the data.", "L'organisme qui détient les données."), node="Agent"),
    Field("hdab_coordinator", "healthdcatap:hdabCoordinator", _N, ONE, (O, O),
          Said("Coordinating access body", "Organisme d'accès coordonnateur"),
          Said("The body that coordinates where a country has several.",
               "L'organisme qui coordonne quand un pays en a plusieurs."), node="Agent"),
    Field("health_theme", "healthdcatap:healthTheme", _I, MANY, (R, R), Said("Health theme", "Thème de santé"),
          Said("Health themes of the European list.", "Thèmes de santé de la liste européenne."),
          base=HEALTH + "health-theme/", closed=frozenset(HEALTH_THEMES.values())),
    Field("coding_system", "healthdcatap:hasCodingSystem", _I, MANY, (R, R), Said("Coding system", "Système de codage"),
          Said("Coding systems in use, such as ICD-10 or SNOMED CT.",
               "Systèmes de codage utilisés, tels CIM-10 ou SNOMED CT."),
          value_type="dct:Standard", base=HEALTH + "coding-system/", closed=frozenset(CODING_SYSTEMS.values())),
    Field("code_values", "healthdcatap:hasCodeValues", _S, MANY, (R, R), Said("Code values", "Valeurs de codes"),
          Said("Codes that characterise the dataset.", "Codes caractéristiques du jeu de données.")),
    Field("purpose", "dpv:hasPurpose", _N, MANY, (R, R), Said("Purpose", "Finalité"),
          Said("What the data were collected for.", "La finalité de la collecte."), node="Purpose"),
    Field("legal_basis", "dpv:hasLegalBasis", _N, MANY, (R, R), Said("Legal basis", "Base juridique"),
          Said("The legal basis of the collection.", "La base juridique de la collecte."), node="LegalBasis"),
    Field("personal_data", "dpv:hasPersonalData", _I, MANY, (R, R), Said("Personal data", "Données personnelles"),
          Said("Kinds of personal data inside.", "Sortes de données personnelles contenues."),
          value_type="dpv:PersonalData", base="https://w3id.org/dpv/dpv-pd#"),
    Field("quality", "dqv:hasQualityAnnotation", _N, MANY, (R, R), Said("Quality label", "Label de qualité"),
          Said("Data quality and utility label of Article 78.", "Label de qualité et d'utilité de l'article 78."),
          node="QualityLabel"),
    Field("min_typical_age", "healthdcatap:minTypicalAge", _C, ONE, (R, R), Said("Youngest age", "Âge minimal"),
          Said("Youngest typical age, in years.", "Âge typique minimal, en années.")),
    Field("max_typical_age", "healthdcatap:maxTypicalAge", _C, ONE, (R, R), Said("Oldest age", "Âge maximal"),
          Said("Oldest typical age, in years.", "Âge typique maximal, en années.")),
    Field("number_of_records", "healthdcatap:numberOfRecords", _C, ONE, (R, R),
          Said("Number of records", "Nombre de lignes"),
          Said("How many records, rounded.", "Combien d'enregistrements, arrondi.")),
    Field("number_of_unique_individuals", "healthdcatap:numberOfUniqueIndividuals", _C, ONE, (R, R),
          Said("Number of persons", "Nombre de personnes"),
          Said("How many natural persons, rounded.", "Combien de personnes physiques, arrondi.")),
    Field("population_coverage", "healthdcatap:populationCoverage", _T, MANY, (R, R),
          Said("Population coverage", "Population couverte"),
          Said("Whom the data describe.", "Qui les données décrivent.")),
    Field("retention_period", "healthdcatap:retentionPeriod", _N, ONE, (R, R),
          Said("Retention period", "Durée de conservation"),
          Said("How long the data are kept.", "Combien de temps les données sont conservées."), node="PeriodOfTime"),
    Field("analytics", "healthdcatap:analytics", _N, MANY, (R, R), Said("Analytics", "Analyses"),
          Said("Where analyses of the data can be had.", "Où obtenir des analyses des données."), node="Distribution"),
    Field("sample", "adms:sample", _N, MANY, (R, R), Said("Sample", "Échantillon"),
          Said("Where a sample can be seen.", "Où voir un échantillon."), node="Distribution"),
    Field("language", "dct:language", _I, MANY, (O, R), Said("Language", "Langue"),
          Said("Languages of the data.", "Langues des données."),
          value_type="dct:LinguisticSystem", base=EU + "language/"),
    Field("conforms_to", "dct:conformsTo", _I, MANY, (O, R), Said("Standard", "Norme"),
          Said("The data model, such as OMOP or FHIR.", "Le modèle de données, tel OMOP ou FHIR."),
          value_type="dct:Standard", base=HEALTH + "standard/"),
    Field("accrual_periodicity", "dct:accrualPeriodicity", _I, ONE, (O, R), Said("Frequency", "Fréquence"),
          Said("How often the data are updated.", "À quelle fréquence les données sont mises à jour."),
          value_type="dct:Frequency", base=EU + "frequency/"),
    Field("temporal", "dct:temporal", _N, MANY, (O, R), Said("Period covered", "Période couverte"),
          Said("From when to when.", "De quand à quand."), node="PeriodOfTime"),
    Field("temporal_resolution", "dcat:temporalResolution", Form.DURATION, ONE, (O, R),
          Said("Time resolution", "Résolution temporelle"),
          Said("Smallest step of time, such as a day (P1D).", "Plus petit pas de temps, tel le jour (P1D).")),
    Field("is_referenced_by", "dct:isReferencedBy", _I, MANY, (O, R), Said("Publication", "Publication"),
          Said("Publications that used the data.", "Publications ayant utilisé les données.")),
    Field("relation", "dct:relation", _I, MANY, (O, R), Said("Related resource", "Ressource liée"),
          Said("Anything that belongs with the dataset.", "Tout ce qui va avec le jeu de données.")),
    Field("source", "dct:source", _I, MANY, (O, R), Said("Source", "Source"),
          Said("The dataset this one was made from.", "Le jeu de données dont celui-ci est tiré.")),
    Field("landing_page", "dcat:landingPage", _I, MANY, (O, R), Said("Landing page", "Page d'accueil"),
          Said("A page about the dataset.", "Une page sur le jeu de données."), value_type="foaf:Document"),
    Field("page", "foaf:page", _I, MANY, (O, R), Said("Documentation", "Documentation"),
          Said("Pages or documents that explain it.", "Pages ou documents qui l'expliquent."),
          value_type="foaf:Document"),
    Field("generated_by", "prov:wasGeneratedBy", _N, MANY, (O, O), Said("Generated by", "Produit par"),
          Said("The health activity that made the data.", "L'activité de santé qui produit les données."),
          node="Activity"),
    Field("spatial", "dct:spatial", _I, MANY, (O, O), Said("Place", "Territoire"),
          Said("Countries or places covered.", "Pays ou lieux couverts."), value_type="dct:Location"),
    Field("alternative", "dct:alternative", _T, MANY, (O, O), Said("Other title", "Autre intitulé"),
          Said("Another name or an acronym.", "Un autre nom ou un sigle.")),
    Field("version", "dcat:version", _S, ONE, (O, O), Said("Version", "Version"),
          Said("Version of the dataset.", "Version du jeu de données.")),
    Field("issued", "dct:issued", _D, ONE, (O, O), Said("Published on", "Publié le"),
          Said("Day of first publication.", "Jour de première publication.")),
    Field("modified", "dct:modified", _D, ONE, (O, O), Said("Changed on", "Modifié le"),
          Said("Day of the last change.", "Jour de la dernière modification.")),
)
# fmt: on
