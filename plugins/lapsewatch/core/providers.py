"""The well-known mail providers whose domains are not checked.

A small curated set of providers so large that their lapse would make the news. The long public lists of "free
e-mail domains" are no allow-list: they hold vanity domains that can themselves expire. What is not here is
checked, once per domain however many addresses use it.
"""

WELL_KNOWN_PROVIDERS = frozenset(
    """
    gmail.com googlemail.com google.com
    outlook.com hotmail.com live.com msn.com hotmail.co.uk hotmail.fr hotmail.de hotmail.it live.co.uk microsoft.com
    yahoo.com ymail.com rocketmail.com yahoo.co.uk yahoo.co.in yahoo.co.jp yahoo.fr yahoo.de yahoo.com.br aol.com
    icloud.com me.com mac.com apple.com
    proton.me protonmail.com pm.me fastmail.com fastmail.fm zoho.com tutanota.com tuta.com
    gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de posteo.de mailbox.org
    free.fr orange.fr wanadoo.fr laposte.net sfr.fr libero.it tiscali.it seznam.cz wp.pl onet.pl interia.pl
    mail.ru bk.ru inbox.ru list.ru yandex.ru yandex.com ya.ru rambler.ru
    qq.com foxmail.com 163.com 126.com yeah.net sina.com aliyun.com naver.com daum.net hanmail.net
    comcast.net verizon.net att.net cox.net sbcglobal.net btinternet.com uol.com.br rediffmail.com
    github.com
    """.split()
)
