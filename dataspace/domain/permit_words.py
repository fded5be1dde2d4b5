"""The words of a printed permit, in English and French."""

from enum import StrEnum

from dataspace.domain.purposes import PROHIBITED_USE_TEXTS, PURPOSE_TEXTS, ProhibitedUse, Purpose


class Language(StrEnum):
    ENGLISH = "en"
    FRENCH = "fr"


EN, FR = Language.ENGLISH, Language.FRENCH

WORDS: dict[str, dict[Language, str]] = {
    "title": {EN: "Data permit", FR: "Autorisation de traitement de données"},
    "law": {EN: "Regulation (EU) 2025/327, Article 68", FR: "Règlement (UE) 2025/327, article 68"},
    "authority": {EN: "Health data access body", FR: "Organisme responsable de l'accès aux données de santé"},
    "holder": {EN: "Data user", FR: "Utilisateur de données"},
    "persons": {EN: "Persons who have access", FR: "Personnes ayant accès"},
    "period": {EN: "Duration", FR: "Durée"},
    "from_until": {EN: "from {} to {}", FR: "du {} au {}"},
    "purposes": {EN: "Purposes", FR: "Finalités"},
    "data": {EN: "Data, pseudonymised", FR: "Données, pseudonymisées"},
    "snapshot": {EN: "snapshot {}", FR: "version {}"},
    "at-grant": {EN: "read as it was at the grant", FR: "lue telle qu'à l'octroi"},
    "current": {EN: "read as it is at each query", FR: "lue telle qu'à chaque requête"},
    "opt_out": {EN: "Exception to opt-outs (Art. 71(4))", FR: "Exception au droit de refus (art. 71, par. 4)"},
    "none": {EN: "none", FR: "aucune"},
    "environment": {EN: "Secure environment", FR: "Environnement sécurisé"},
    "environment_text": {
        EN: "queries only, answered with differential privacy; no row of the data leaves the node",
        FR: "requêtes seulement, avec confidentialité différentielle ; aucune ligne des données ne quitte le noeud",
    },
    "budget": {EN: "Privacy budget", FR: "Budget de confidentialité"},
    "budget_text": {EN: "epsilon {} at delta {}, all answers together", FR: "epsilon {} pour delta {}, au total"},
    "conditions": {EN: "Conditions", FR: "Conditions"},
    "further": {EN: "Further terms", FR: "Autres dispositions"},
    "prohibited": {EN: "Prohibited uses (Art. 54)", FR: "Utilisations interdites (art. 54)"},
    "duties": {EN: "Duties (Art. 61)", FR: "Obligations (art. 61)"},
    "reidentify": {
        EN: "not to identify a person, nor to attempt it",
        FR: "ne pas identifier une personne, ni tenter de le faire",
    },
    "publish": {
        EN: "to publish the results within 18 months after the processing ended",
        FR: "publier les résultats dans les 18 mois suivant la fin du traitement",
    },
    "acknowledge": {
        EN: "to acknowledge the sources of the data and the European Health Data Space",
        FR: "mentionner les sources des données et l'espace européen des données de santé",
    },
    "inform": {
        EN: "to tell the access body of significant findings",
        FR: "signaler les découvertes significatives à l'organisme",
    },
    "revoked": {EN: "This permit was revoked on {}.", FR: "Cette autorisation a été révoquée le {}."},
    "suspended": {EN: "This permit was suspended on {}.", FR: "Cette autorisation a été suspendue le {}."},
    "verification": {EN: "Verification", FR: "Vérification"},
    "verify": {
        EN: "This print is a reading copy. The permit itself is the signed statement whose SHA-256 is below; it is"
        " verified offline with the keys at {keys} and the status list at {status}:",
        FR: "Cette impression est une copie de lecture. L'autorisation elle-même est la déclaration signée dont le"
        " SHA-256 figure ci-dessous ; elle se vérifie hors ligne avec les clés publiées à {keys} et la liste d'état"
        " à {status} :",
    },
    "page": {EN: "page {} of {}", FR: "page {} sur {}"},
}

MEMBERS: dict[str, dict[Language, str]] = {
    "sources": {EN: "sources", FR: "sources"},
    "data_format": {EN: "format", FR: "format"},
    "population": {EN: "population", FR: "population"},
    "detailed_purpose": {EN: "purpose in detail", FR: "finalité détaillée"},
    "principal_investigator": {EN: "principal investigator", FR: "investigateur principal"},
    "environment": {EN: "environment", FR: "environnement"},
    "fee_cents": {EN: "fee in euro cents", FR: "redevance en centimes d'euro"},
    "min_cell": {EN: "minimum cell size", FR: "effectif minimal par cellule"},
    "aggregates": {EN: "kinds of aggregates", FR: "types d'agrégats"},
    "extended": {EN: "extended", FR: "prolongée"},
}
"""What members of the statement without a section of their own are called in print."""

PURPOSES: dict[Language, dict[Purpose, str]] = {
    EN: PURPOSE_TEXTS,
    FR: {
        Purpose.PUBLIC_INTEREST: "intérêt public en santé publique ou au travail : surveillance, qualité et sécurité",
        Purpose.POLICY: "élaboration des politiques et tâches réglementaires des organismes publics de santé",
        Purpose.STATISTICS: "statistiques, notamment officielles, sur le secteur de la santé ou des soins",
        Purpose.EDUCATION: "éducation ou enseignement en santé ou en soins, professionnel ou supérieur",
        Purpose.RESEARCH: "recherche scientifique en santé ou en soins, y compris développement d'algorithmes",
        Purpose.CARE: "amélioration des soins et des traitements à partir des données d'autres personnes",
    },
}

PROHIBITED: dict[Language, dict[ProhibitedUse, str]] = {
    EN: PROHIBITED_USE_TEXTS,
    FR: {
        ProhibitedUse.HARMFUL_DECISIONS: "décisions préjudiciables à une personne ou à un groupe d'après ces données",
        ProhibitedUse.DISCRIMINATION: "décisions discriminatoires : emploi, assurance, crédit ou fournitures",
        ProhibitedUse.MARKETING: "publicité ou prospection commerciale",
        ProhibitedUse.HARMFUL_PRODUCTS: "produits ou services nuisibles aux personnes, à la santé ou à la société",
        ProhibitedUse.UNETHICAL: "activités contraires aux dispositions éthiques du droit national",
    },
}


def member(name: str, language: Language) -> str:
    """What a member of the statement is called in print; by its name, if it has no other."""
    return MEMBERS.get(name, {}).get(language, name.replace("_", " "))


def word(name: str, language: Language) -> str:
    """A heading or sentence of the printed permit."""
    return WORDS[name][language]
