"""What people write to a hosting company about. Nobody and nothing in here exists.

{domain}, {ip} and {invoice} are filled in by the seed.
"""

from dataclasses import dataclass

CUSTOMER, STAFF = "customer", "staff"


@dataclass(frozen=True, slots=True)
class Story:
    """`turns` alternate, staff first: the answers that follow the opening message."""

    department: str
    service: str
    subject: str
    opening: str
    turns: tuple[str, ...]


STORIES = (
    Story(
        "technical",
        "hosting",
        "SSL certificate for {domain} has expired",
        "Hi,\n\nVisitors to https://{domain} get a certificate warning since this morning. I thought it "
        "renewed by itself?\n\nRegards\nJane",
        (
            "Hello,\n\nThe automatic renewal failed because {domain} had no A record towards our servers "
            "when we tried. I have started it again and the new certificate is in place.",
            "Works on {domain}, but www.{domain} still shows the old one.",
            "Thank you for checking. www was missing from the certificate; both names are on it now.",
        ),
    ),
    Story(
        "technical",
        "hosting",
        "SSL-certifikat saknas på {domain}",
        "Hej!\n\nJag har pekat om {domain} till er men får ”Anslutningen är inte privat”. Hur lång tid "
        "tar det innan certifikatet är klart?\n\nMvh\nAnna",
        (
            "Hej Anna,\n\nDet brukar ta upp till en timme efter att DNS har slagit igenom. Jag ser att "
            "certifikatet utfärdades nyss, kan du prova igen?",
            "Nu fungerar det, tack för snabb hjälp!",
        ),
    ),
    Story(
        "domains",
        "domain",
        "Byta MX-poster för {domain}",
        "Hej,\n\nVi ska flytta vår e-post till en annan leverantör. Kan ni lägga in följande "
        "MX-poster?\n\n10 mx1.example.net\n20 mx2.example.net\n\nTTL 300 under flytten vore bra.",
        (
            "Hej,\n\nPosterna är inlagda med TTL 300. Tänk på att ta bort den gamla SPF-posten när "
            "flytten är klar.",
            "Tack! Vilken SPF-post menar du? Jag ser två TXT-poster.",
            "Den som börjar med v=spf1 och pekar på oss. Det får bara finnas en SPF-post per domän.",
            "Uppfattat, den är borttagen.",
        ),
    ),
    Story(
        "domains",
        "domain",
        "DNS changes for {domain} do not show up",
        "I changed the A record of {domain} to {ip} yesterday, but half of our office still gets the old "
        "server. Is there a problem with your name servers?",
        (
            "Hi,\n\nAll our name servers answer {ip}. The old record had a TTL of 24 hours, so resolvers "
            "may keep it until tonight.",
            "Makes sense. I will lower the TTL before the next change.",
        ),
    ),
    Story(
        "technical",
        "hosting",
        "Återställning av säkerhetskopia för {domain}",
        "Hej,\n\nVi råkade skriva över wp-content/uploads i morse. Går det att återställa mappen från "
        "nattens säkerhetskopia utan att röra databasen?",
        (
            "Hej,\n\nDet går bra. Vi har kopior från 02:10 i natt. Vill du att vi lägger filerna i en "
            "egen mapp (uploads-restored) så att ni kan jämföra?",
            "Ja tack, gärna i en egen mapp.",
            "Klart. 4 812 filer ligger i /public_html/wp-content/uploads-restored.",
            "Toppen, allt är på plats. Ni kan stänga ärendet.",
        ),
    ),
    Story(
        "technical",
        "hosting",
        "Restore database from last night's backup",
        "Our developer dropped a table on {domain} at 09:40. Please restore the database `shop_prod` from "
        "before that. Every hour costs us orders.",
        (
            "Hello,\n\nI have restored last night's dump into a new database, shop_prod_restored, so that "
            "nothing newer is lost. Can you check it before we switch?",
            "Checked, the table is complete. Please switch.",
            "Done at 11:05. The old database is kept as shop_prod_before for seven days.",
        ),
    ),
    Story(
        "billing",
        "hosting",
        "Faktura {invoice} har betalats två gånger",
        "Hej!\n\nVår bank har dragit faktura {invoice} två gånger, den 2:a och den 3:e. Kan ni betala "
        "tillbaka den ena eller räkna av på nästa?",
        (
            "Hej,\n\nJag ser båda inbetalningarna. Vill ni ha pengarna åter till kontot eller som tillgodo?",
            "Som tillgodo på nästa faktura blir bra.",
            "Då är det ordnat, beloppet dras av automatiskt.",
        ),
    ),
    Story(
        "billing",
        "other",
        "Invoice {invoice}: wrong VAT number",
        "Invoice {invoice} carries our old VAT number. Could you reissue it with the number that we have "
        "entered in the control panel? Our accountants need it before the end of the month.",
        (
            "Hi,\n\nAn issued invoice can't be changed, but I have credited {invoice} and sent a new one "
            "with the right number.",
            "Received, thank you.",
        ),
    ),
    Story(
        "billing",
        "other",
        "Byta till e-faktura",
        "Hej,\n\nVi vill få våra fakturor som e-faktura via Peppol i stället för pdf. Vad behöver ni från oss?",
        (
            "Hej,\n\nVi behöver ert organisationsnummer och Peppol-id, så gäller det från nästa faktura.",
            "Organisationsnummer 000000-0000, Peppol-id 0007:0000000000.",
        ),
    ),
    Story(
        "technical",
        "vps",
        "VPS does not come back after reboot",
        "I rebooted our VPS ({ip}) from the control panel 20 minutes ago and it does not answer ping or "
        "SSH. The console shows a blinking cursor.",
        (
            "Hello,\n\nThe kernel that was installed last could not find its root volume. I have booted "
            "the previous one and the server is up. Please run update-initramfs before the next reboot.",
            "It is up, thanks. I ran it and rebooted once more without trouble.",
        ),
    ),
    Story(
        "technical",
        "vps",
        "VPS svarar inte, behöver startas om",
        "Vår VPS {ip} svarar inte på SSH sedan kl. 03. Kan ni starta om den hårt? Omstart från panelen "
        "ger bara ”Väntar…”.",
        (
            "Hej,\n\nServern är omstartad. Disken var full (/var/log), så tjänsterna kunde inte skriva.",
            "Tack. Vi har lagt in logrotate nu.",
        ),
    ),
    Story(
        "technical",
        "hosting",
        "Which PHP version for {domain}?",
        "Our shop needs PHP 8.3 but {domain} seems to run 8.1. Where can I change it, and can different "
        "folders have different versions?",
        (
            "Hi,\n\nUnder Web > PHP you choose a version per site. Folders can't differ, but a subdomain can.",
            "Found it. The site shows a blank page with 8.3, how do I see the errors?",
            "The log is under Web > Logs > PHP. There I see a call to utf8_encode in your theme, which is "
            "deprecated.",
            "That was it, the theme has an update. Everything runs.",
        ),
    ),
    Story(
        "technical",
        "hosting",
        "Höja memory_limit i PHP",
        "Hej,\n\nBildimporten på {domain} stannar med ”Allowed memory size exhausted”. Kan ni höja "
        "memory_limit till 512 MB?",
        ("Hej,\n\nDet ingår i ert paket och är ändrat nu. Starta om importen så bör den gå igenom.",),
    ),
    Story(
        "technical",
        "hosting",
        "E-post från {domain} hamnar i skräpposten",
        "Sedan i förra veckan hamnar våra utskick från {domain} i mottagarnas skräppost. Vi har inte "
        "ändrat något.",
        (
            "Hej,\n\nDomänen saknar DKIM-signatur. Jag har slagit på den och lagt in posten i DNS.",
            "Det ser bättre ut, men ett par mottagare får fortfarande skräppost.",
            "Lägg även till en DMARC-post med p=none, så får ni rapporter om vem som skickar i ert namn.",
        ),
    ),
    Story(
        "technical",
        "hosting",
        "Mail to our customers bounces: 550 5.7.1",
        "Mail from info@{domain} to several customers bounces with:\n\n550 5.7.1 Service unavailable; "
        "client [{ip}] blocked\n\nCan you have the address taken off the list?",
        (
            "Hello,\n\nThe shared outgoing server was listed because of another customer. Mail from you "
            "leaves by another server now, and we have asked for removal.",
            "Since an hour nothing has bounced. Thanks.",
        ),
    ),
    Story(
        "domains",
        "domain",
        "Transfer of {domain} is stuck",
        "We started the transfer of {domain} to you a week ago with the right auth code. The status has "
        "been ”pending” since then.",
        (
            "Hi,\n\nThe former registrar has not confirmed yet. Without their answer the registry "
            "completes the transfer after five days; that is tomorrow.",
            "It went through tonight. Are the name servers kept as they were?",
            "Yes, a transfer changes neither name servers nor records.",
        ),
    ),
    Story(
        "domains",
        "domain",
        "Flytta {domain} till oss, auktoriseringskod",
        "Hej!\n\nVi vill flytta {domain} från er till en annan registrar. Var hittar jag auktoriseringskoden?",
        ("Hej,\n\nKoden finns under Domäner > {domain} > Flytta. Den gäller i 30 dagar.",),
    ),
    Story(
        "technical",
        "vps",
        "SSH key is not accepted on {ip}",
        "I added a new SSH key in the control panel, but {ip} answers ”Permission denied (publickey)”. "
        "The old key works.",
        (
            "Hello,\n\nKeys from the panel are only written when a server is created. For a running one, "
            "add the key to ~/.ssh/authorized_keys yourself.",
            "I see. It would help if the panel said so.",
            "I agree and have passed it on.",
        ),
    ),
    Story(
        "technical",
        "hosting",
        "SFTP/SSH-åtkomst för konsult",
        "Hej,\n\nVi har en konsult som behöver SFTP till {domain} i två veckor. Kan man skapa ett "
        "tillfälligt konto som bara ser en mapp?",
        (
            "Hej,\n\nJa, under Web > SFTP-konton kan du välja mapp och slutdatum.",
            "Perfekt, det löste sig.",
        ),
    ),
    Story(
        "technical",
        "hosting",
        "Website {domain} is very slow since Monday",
        "Pages on {domain} take 6 to 8 seconds to load since Monday morning. Nothing was changed on our "
        "side. In the evening it is quick again.",
        (
            "Hi,\n\nA crawler asks for your search page 40 times a second in office hours. I have "
            "attached the top of the access log. Would you like us to block it?",
            "Yes please, block it.",
            "Blocked. Your load time is back to 0.4 s as seen from here.",
        ),
    ),
    Story(
        "sales",
        "other",
        "Uppgradera till ett större webbpaket",
        "Hej,\n\nVi närmar oss gränsen för diskutrymme. Vad kostar nästa paket, och blir det avbrott vid bytet?",
        (
            "Hej,\n\nNästa paket har 100 GB. Bytet sker utan avbrott och ni betalar mellanskillnaden för "
            "resten av perioden.",
            "Då vill vi byta från den första i nästa månad.",
        ),
    ),
    Story(
        "sales",
        "vps",
        "More memory for our VPS",
        "Can our VPS {ip} get 16 GB instead of 8 GB without a new address? And does it need a reboot?",
        (
            "Hello,\n\nThe address stays. The server reboots once, about two minutes. Shall we do it "
            "tonight at 22:00?",
        ),
    ),
    Story(
        "technical",
        "vps",
        "Reverse DNS for {ip}",
        "Please set the PTR record of {ip} to mail.{domain}. The A record is in place.",
        (
            "Hi,\n\nDone; it can take an hour until all name servers have it.",
            "Confirmed, thank you.",
        ),
    ),
    Story(
        "technical",
        "hosting",
        "403 Forbidden efter WordPress-uppdatering",
        "Hej,\n\nEfter att vi uppdaterade WordPress på {domain} får vi 403 på alla sidor utom startsidan.",
        (
            "Hej,\n\nFilen .htaccess hade fått rättigheterna 000. Jag har satt 644 och sidorna svarar igen.",
            "Tack! Har ni någon aning om varför?",
            "Ett säkerhetstillägg låste filen vid uppdateringen. Kontrollera dess inställningar.",
        ),
    ),
)
