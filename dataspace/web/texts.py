"""What the public pages say, in English and French: key -> the two texts. A page asks by key and language."""

from fastapi import Request

from dataspace.web.sign_in_texts import SIGN_IN

LANGUAGES = ("en", "fr")
COOKIE = "lang"
"""Keeps the language that a reader chose."""

TEXTS: dict[str, tuple[str, str]] = {
    "nav.main": ("Main", "Principal"),
    "nav.skip": ("Skip to the content", "Aller au contenu"),
    "nav.datasets": ("Datasets", "Jeux de données"),
    "nav.register": ("Public register", "Registre public"),
    "nav.report": ("Activity report", "Rapport d’activité"),
    "nav.complaints": ("Complaints", "Réclamations"),
    "nav.apply": ("How to apply", "Comment demander un accès"),
    "nav.api": ("API (OpenAPI)", "API (OpenAPI)"),
    "nav.account": ("My account", "Mon compte"),
    "nav.other": ("Français", "English"),
    "footer": (
        "Secondary use of health data under Regulation (EU) 2025/327. Only differentially private statistics leave"
        " this node.",
        "Utilisation secondaire des données de santé, règlement (UE) 2025/327. Seules des statistiques protégées par"
        " confidentialité différentielle sortent de ce nœud.",
    ),
    "register.title": ("Public register", "Registre public"),
    "register.lead": (
        "Every application for health data from the day it was received: who asked, for which data, why, what was"
        " decided and what came of it. Confidential parts and names of persons are left out.",
        "Toute demande de données de santé dès sa réception : qui demande, quelles données, pourquoi, quelle décision"
        " et quels résultats. Les parties confidentielles et les noms de personnes ne sont pas publiés.",
    ),
    "register.search": ("Search the register", "Chercher dans le registre"),
    "register.words": ("Words", "Mots"),
    "register.state": ("State", "État"),
    "register.purpose": ("Purpose", "Finalité"),
    "register.dataset": ("Dataset", "Jeu de données"),
    "register.any": ("any", "tous"),
    "register.go": ("Search", "Chercher"),
    "register.found": ("entries found", "entrées trouvées"),
    "register.none": ("Nothing fits this search.", "Aucune entrée ne correspond."),
    "register.next": ("Next page", "Page suivante"),
    "register.first": ("First page", "Première page"),
    "register.feed": ("Atom feed of the register", "Fil Atom du registre"),
    "register.json": ("As JSON", "En JSON"),
    "register.measures": ("Measures of non-compliance", "Mesures en cas de non-conformité"),
    "register.back": ("Back to the register", "Retour au registre"),
    "entry.number": ("Number", "Numéro"),
    "entry.kind": ("Kind", "Type"),
    "entry.applicant": ("Applicant", "Demandeur"),
    "entry.title": ("Project", "Projet"),
    "entry.summary": ("Summary for the public", "Résumé pour le public"),
    "entry.purposes": ("Purposes (Art. 53)", "Finalités (art. 53)"),
    "entry.datasets": ("Datasets", "Jeux de données"),
    "entry.received": ("Received", "Reçue le"),
    "entry.decided": ("Decided", "Décidée le"),
    "entry.reasons": ("Reasons", "Motifs"),
    "entry.publish_by": ("The decision must be published by", "La décision doit être publiée au plus tard le"),
    "entry.published": ("Published on {0}; due by {1}.", "Publiée le {0} ; échéance : {1}."),
    "entry.waiting": (
        "The reasons are being checked for confidential parts.",
        "Les motifs sont en cours de vérification pour en retirer les parties confidentielles.",
    ),
    "entry.no_reasons": ("No reasons are recorded.", "Aucun motif n’est enregistré."),
    "entry.permit": ("Permit", "Autorisation"),
    "entry.issued": ("Issued", "Délivrée le"),
    "entry.not_issued": ("no permit has been issued", "aucune autorisation délivrée"),
    "entry.duration": ("Valid", "Validité"),
    "entry.from_to": ("{0} until {1}", "du {0} au {1}"),
    "entry.permit_reasons": ("Reasons for the permit’s present state", "Motifs de l’état actuel de l’autorisation"),
    "entry.results": ("Results", "Résultats"),
    "entry.no_results": ("No result has been published yet.", "Aucun résultat n’est encore publié."),
    "entry.duty": ("Publication of results", "Publication des résultats"),
    "entry.duty.not-yet": ("due by {0}", "due au plus tard le {0}"),
    "entry.duty.due": ("due by {0}", "due au plus tard le {0}"),
    "entry.duty.extended": ("extended until {0}", "prolongée jusqu’au {0}"),
    "entry.duty.overdue": ("overdue since {0}", "en retard depuis le {0}"),
    "entry.duty.met": ("met", "faite"),
    "kind.application": ("data access application", "demande d’accès aux données"),
    "kind.request": ("data request", "demande de données"),
    "state.received": ("received", "reçue"),
    "state.under-assessment": ("under assessment", "en cours d’évaluation"),
    "state.pending": ("permit issued, not begun", "autorisation délivrée, non commencée"),
    "state.active": ("permit in force", "autorisation en vigueur"),
    "state.suspended": ("permit suspended", "autorisation suspendue"),
    "state.revoked": ("permit revoked", "autorisation retirée"),
    "state.expired": ("permit expired", "autorisation expirée"),
    "state.approved": ("request approved", "demande approuvée"),
    "state.answered": ("request answered", "demande traitée"),
    "state.refused": ("refused", "refusée"),
    "state.withdrawn": ("withdrawn by the applicant", "retirée par le demandeur"),
    "purpose.a": ("public interest in public or occupational health", "intérêt public en santé publique ou au travail"),
    "purpose.b": ("policymaking and regulation in health or care", "politiques et réglementation de la santé"),
    "purpose.c": ("statistics on health or care", "statistiques sur la santé ou les soins"),
    "purpose.d": ("education or teaching in health or care", "enseignement dans le domaine de la santé"),
    "purpose.e": ("scientific research in health or care", "recherche scientifique sur la santé ou les soins"),
    "purpose.f": ("improving care and treatment", "amélioration des soins et des traitements"),
    "result.paper": ("Paper", "Article"),
    "result.policy-document": ("Policy document", "Document de politique"),
    "result.regulatory-procedure": ("Regulatory procedure", "Procédure réglementaire"),
    "result.product-or-service": ("Product or service", "Produit ou service"),
    "result.algorithm": ("Algorithm", "Algorithme"),
    "withheld.trade-secret": ("[withheld: trade secret]", "[non publié : secret d’affaires]"),
    "withheld.intellectual-property": (
        "[withheld: intellectual property]", "[non publié : propriété intellectuelle]",
    ),
    "withheld.personal-data": ("[withheld: personal data]", "[non publié : données à caractère personnel]"),
    "withheld.security": ("[withheld: security]", "[non publié : sécurité]"),
    "measures.lead": (
        "Measures taken against data users and data holders, with their reasons (Art. 57(1)(j)(iv), 63).",
        "Mesures prises envers des utilisateurs et des détenteurs de données, avec leurs motifs (art. 57 et 63).",
    ),
    "measures.none": ("No measure has been taken.", "Aucune mesure n’a été prise."),
    "measures.kind": ("Measure", "Mesure"),
    "measures.organisation": ("Against", "Envers"),
    "measures.date": ("Date", "Date"),
    "measures.until": ("Until", "Jusqu’au"),
    "measure.warning": ("warning", "avertissement"),
    "measure.suspension": ("suspension", "suspension"),
    "measure.revocation": ("revocation", "retrait"),
    "measure.exclusion": ("exclusion", "exclusion"),
    "complaint.title": ("Complain to the health data access body", "Adresser une réclamation à l’organisme d’accès"),
    "complaint.lead": (
        "Anybody whose rights or interests are affected may complain, alone or together with others (Art. 81). No"
        " account is needed. You receive a receipt and a secret, with which you can see what becomes of it.",
        "Toute personne dont les droits ou intérêts sont touchés peut introduire une réclamation, seule ou avec"
        " d’autres (art. 81), sans compte. Vous recevez un récépissé et un code secret pour en suivre le traitement.",
    ),
    "complaint.opt_out": (
        "A complaint about opting out is passed on to the data protection authority.",
        "Une réclamation sur l’opposition (opt-out) est transmise à l’autorité de protection des données.",
    ),
    "complaint.subject": ("It is about", "Elle porte sur"),
    "complaint.names": ("Who complains (one person or organisation a line)", "Auteurs (un par ligne)"),
    "complaint.legal": ("They are organisations (legal persons)", "Ce sont des organisations (personnes morales)"),
    "complaint.contact": ("How to reach you (optional)", "Comment vous joindre (facultatif)"),
    "complaint.case": ("Number in the register, if it is about one case", "Numéro du registre, s’il s’agit d’un cas"),
    "complaint.text": ("What happened, and what do you ask for?", "Que s’est-il passé, et que demandez-vous ?"),
    "complaint.send": ("Send the complaint", "Envoyer la réclamation"),
    "complaint.filed": ("Your complaint was received", "Votre réclamation est reçue"),
    "complaint.keep": (
        "Write both down now: the secret is not shown again and cannot be restored.",
        "Notez les deux maintenant : le code secret ne sera plus affiché et ne peut être retrouvé.",
    ),
    "complaint.receipt": ("Receipt", "Récépissé"),
    "complaint.secret": ("Secret", "Code secret"),
    "complaint.follow": ("Follow a complaint", "Suivre une réclamation"),
    "complaint.look": ("Show its progress", "Voir son avancement"),
    "complaint.progress": ("Progress of complaint", "Avancement de la réclamation"),
    "subject.application": ("an application or its handling", "une demande ou son traitement"),
    "subject.permit": ("a permit or its use", "une autorisation ou son usage"),
    "subject.data-holder": ("a data holder", "un détenteur de données"),
    "subject.protected-data": (
        "data protected by intellectual property or as trade secrets (Art. 52)",
        "des données protégées par la propriété intellectuelle ou le secret d’affaires (art. 52)",
    ),
    "subject.access-body": ("the access body itself", "l’organisme d’accès lui-même"),
    "subject.rights": ("your rights in your data", "vos droits sur vos données"),
    "subject.opt-out": ("opting out of secondary use", "l’opposition à l’utilisation secondaire"),
    "subject.other": ("something else", "autre chose"),
    "cstate.received": ("received", "reçue"),
    "cstate.forwarded": (
        "forwarded to the data protection authority, which decides",
        "transmise à l’autorité de protection des données, qui décide",
    ),
    "cstate.under-examination": ("under examination", "en cours d’examen"),
    "cstate.upheld": ("upheld", "accueillie"),
    "cstate.partly-upheld": ("upheld in part", "accueillie en partie"),
    "cstate.rejected": ("rejected", "rejetée"),
    "report.title": ("Activity report", "Rapport d’activité"),
    "report.lead": (
        "Every two years the access body reports on its work (Art. 59). Each figure is computed from what is on"
        " record; frozen editions are never changed, a correction is a new edition.",
        "Tous les deux ans, l’organisme d’accès rend compte de son activité (art. 59). Chaque chiffre est calculé à"
        " partir de ce qui est enregistré ; une édition figée n’est jamais modifiée, une correction est une nouvelle"
        " édition.",
    ),
    "report.editions": ("Frozen editions", "Éditions figées"),
    "report.none": ("No edition has been frozen yet.", "Aucune édition n’est encore figée."),
    "report.edition": ("Edition", "Édition"),
    "report.superseded": ("superseded by a later edition", "remplacée par une édition ultérieure"),
    "report.period": ("Period", "Période"),
    "report.now": ("As the records stand now", "Selon les enregistrements actuels"),
    "report.figure": ("Figure", "Chiffre"),
    "report.value": ("Value", "Valeur"),
    "report.definition": ("How it is counted", "Mode de calcul"),
    "report.nothing": ("none", "aucun"),
    "report.sha": ("SHA-256 of the content", "SHA-256 du contenu"),
    "report.from": ("From", "Du"),
    "report.to": ("Until before", "Jusqu’avant le"),
    "report.show": ("Show", "Afficher"),
    "item.a": ("Applications and requests", "Demandes d’accès et demandes de données"),
    "item.b": ("Commitments, measures and fines", "Engagements, mesures et amendes"),
    "item.c": ("Audits of users", "Audits des utilisateurs"),
    "item.d": ("Audits of secure environments", "Audits des environnements sécurisés"),
    "item.e": ("Requests and complaints of persons", "Demandes et réclamations de personnes"),
    "item.f": ("Work with stakeholders", "Travail avec les parties prenantes"),
    "item.g": ("Revenue", "Recettes"),
    "item.h": ("Average days to access", "Délai moyen d’accès, en jours"),
    "item.i": ("Labels of data quality and utility", "Labels de qualité et d’utilité"),
    "item.j": ("Papers, policy documents, procedures", "Articles, documents de politique, procédures"),
    "item.k": ("Products, services and algorithms", "Produits, services et algorithmes"),
} | SIGN_IN  # fmt: skip


def language(request: Request) -> str:
    """`?lang=`, else what was chosen before, else the first language that the browser prefers, else English."""
    for asked in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if asked in LANGUAGES:
            return str(asked)
    preferred = [
        part.split(";")[0].strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")
    ]
    return next((lang for lang in preferred if lang in LANGUAGES), LANGUAGES[0])


def other_than(lang: str) -> str:
    """The language that a page is offered in beside `lang`."""
    return next(known for known in LANGUAGES if known != lang)


def say(key: str, lang: str, *values: object) -> str:
    """The text of `key`, its places {0}, {1} filled with `values`."""
    text = TEXTS[key][LANGUAGES.index(lang)]
    return text.format(*values) if values else text


def marks(text: str, lang: str) -> str:
    """`text` with the marks of what is withheld in `lang`."""
    for key, (mark, _) in TEXTS.items():
        if key.startswith("withheld."):
            text = text.replace(mark, say(key, lang))
    return text
