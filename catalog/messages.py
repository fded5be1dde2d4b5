"""The words of findings: what is wrong and how to mend it, by cause, in English and French."""

from enum import Enum

from catalog.fields import Field, Form
from catalog.values import Said


class Cause(Enum):
    """What can be wrong with a field."""

    MISSING = "missing"
    MISSING_VARIABLES = "missing-variables"
    TOO_MANY = "too-many"
    WRONG_FORM = "wrong-form"
    NOT_IN_LIST = "not-in-list"
    RETIRED = "retired"
    NO_CLASS = "no-class"
    WRONG_LEVEL = "wrong-level"
    MUST_CONTAIN = "must-contain"
    NO_CONTACT = "no-contact"
    INCOMPLETE = "incomplete"
    NO_DATASET = "no-dataset"
    SEVERAL_DATASETS = "several-datasets"
    OTHER = "other"


_MESSAGES: dict[Cause, tuple[Said, Said]] = {
    Cause.MISSING: (
        Said("“{label}” is missing.", "« {label} » manque."),
        Said("Fill in: {help}", "À renseigner : {help}"),
    ),
    Cause.MISSING_VARIABLES: (
        Said(
            "The data are said to be structured, but the variables are not described.",
            "Les données sont dites structurées, mais les variables ne sont pas décrites.",
        ),
        Said(
            "Add the tables and variables, or say that the data are not structured.",
            "Ajoutez les tables et variables, ou indiquez que les données ne sont pas structurées.",
        ),
    ),
    Cause.TOO_MANY: (
        Said("“{label}” has more than one value.", "« {label} » a plus d'une valeur."),
        Said("Keep one.", "N'en gardez qu'une."),
    ),
    Cause.WRONG_FORM: (
        Said("A value of “{label}” is not {form}.", "Une valeur de « {label} » n'est pas {form}."),
        Said("Write it as {form}. {help}", "Écrivez {form}. {help}"),
    ),
    Cause.NOT_IN_LIST: (
        Said(
            "A value of “{label}” is not a term of the list it must come from.",
            "Une valeur de « {label} » n'est pas un terme de la liste imposée.",
        ),
        Said("Choose a term of {base}", "Choisissez un terme de {base}"),
    ),
    Cause.RETIRED: (
        Said(
            "A value of “{label}” uses a vocabulary address that was retired.",
            "Une valeur de « {label} » utilise une adresse de vocabulaire abandonnée.",
        ),
        Said("Use the address of the list in force: {base}", "Utilisez l'adresse de la liste en vigueur : {base}"),
    ),
    Cause.NO_CLASS: (
        Said(
            "The class of a value of “{label}” is not stated.", "La classe d'une valeur de « {label} » n'est pas dite."
        ),
        Said("State that it is a {type}.", "Indiquez que c'est un {type}."),
    ),
    Cause.WRONG_LEVEL: (
        Said(
            "“{label}” is not exactly one of public, restricted and non-public, or not the one checked against.",
            "« {label} » n'est pas exactement un des niveaux public, restreint, non public, ou pas celui vérifié.",
        ),
        Said("Choose one term of {base}", "Choisissez un terme de {base}"),
    ),
    Cause.MUST_CONTAIN: (
        Said("“{label}” lacks a value that every record has.", "Il manque à « {label} » une valeur obligatoire."),
        Said("Add {must}", "Ajoutez {must}"),
    ),
    Cause.NO_CONTACT: (
        Said(
            "“{label}” has neither an e-mail address nor a page.",
            "« {label} » n'a ni adresse électronique ni page.",
        ),
        Said("Give an e-mail address or the address of a page.", "Donnez un courriel ou l'adresse d'une page."),
    ),
    Cause.INCOMPLETE: (
        Said("The description of “{label}” is not complete.", "La description de « {label} » est incomplète."),
        Said("Complete it: {help}", "À compléter : {help}"),
    ),
    Cause.NO_DATASET: (
        Said("The text describes no dataset.", "Le texte ne décrit aucun jeu de données."),
        Said("Describe one thing of the class dcat:Dataset.", "Décrivez une ressource de la classe dcat:Dataset."),
    ),
    Cause.SEVERAL_DATASETS: (
        Said("The text describes several datasets.", "Le texte décrit plusieurs jeux de données."),
        Said("Check each record in its own file.", "Vérifiez chaque notice dans son propre fichier."),
    ),
    Cause.OTHER: (
        Said("“{label}” does not follow the profile.", "« {label} » ne suit pas le profil."),
        Said("{help}", "{help}"),
    ),
}

_FORMS: dict[Form, Said] = {
    Form.TEXT: Said("text", "un texte"),
    Form.STRING: Said("text", "un texte"),
    Form.IRI: Said("a full address (http…)", "une adresse complète (http…)"),
    Form.MAILBOX: Said("a mailto: address", "une adresse mailto:"),
    Form.BOOLEAN: Said("true or false (xsd:boolean)", "vrai ou faux (xsd:boolean)"),
    Form.COUNT: Said("a whole number from 0 (xsd:nonNegativeInteger)", "un entier positif (xsd:nonNegativeInteger)"),
    Form.DECIMAL: Said("a decimal number", "un nombre décimal"),
    Form.DATE: Said("a date (YYYY-MM-DD)", "une date (AAAA-MM-JJ)"),
    Form.BOUND: Said("a number or a date", "un nombre ou une date"),
    Form.DURATION: Said("a duration such as P1D", "une durée telle que P1D"),
    Form.CODE: Said("a list of codes", "une liste de codes"),
    Form.NODE: Said("a description of its own", "une description à part"),
}


def words(cause: Cause, field: Field | None) -> tuple[Said, Said]:
    """(message, mend) of a finding about `field`."""
    message, mend = _MESSAGES[cause]
    return _filled(message, field), _filled(mend, field)


def _filled(template: Said, field: Field | None) -> Said:
    if field is None:
        empty = {"label": "the record", "help": "", "form": "", "base": "", "must": "", "type": ""}
        return Said(template.en.format(**empty), template.fr.format(**(empty | {"label": "la notice"})))
    shared = {"base": field.base, "must": field.must, "type": field.value_type}
    form = _FORMS[field.form]
    return Said(
        template.en.format(label=field.label.en, help=field.help.en, form=form.en, **shared),
        template.fr.format(label=field.label.fr, help=field.help.fr, form=form.fr, **shared),
    )
