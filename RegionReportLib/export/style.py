"""The style sheet of the HTML report: calm, printable, one accent colour per region."""

CSS = """
:root{color-scheme:light dark;--ink:#1c2126;--soft:#667;--line:#dde1e6;--page:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#dfe3e8;--soft:#98a2ad;--line:#333a42;--page:#15181c}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:70rem;margin:1.5rem auto;
padding:0 1rem}
h1{font-size:1.3rem;margin:0}
.draft,.signed{font-weight:600;margin:.2rem 0}.draft{color:#b25b00}.signed{color:#2d7d46}
@media(prefers-color-scheme:dark){.draft{color:#ffb45c}.signed{color:#7fd69b}}
.study,.note,footer{color:var(--soft);font-size:.85rem;margin:.2rem 0}
section{border-top:1px solid var(--line);padding:.8rem 0;break-inside:avoid}
h2{font-size:1rem;margin:0 0 .4rem;padding-left:.6rem;border-left:.4rem solid var(--c)}
h2 small{font-weight:400;color:var(--soft);margin-left:.8rem}
.row{display:flex;gap:1.2rem;align-items:flex-start;flex-wrap:wrap}
ul{flex:1 1 24rem;margin:0;padding:0;list-style:none}
li{margin:.35rem 0;padding-left:1.4rem;position:relative}
li .state{position:absolute;left:0;color:var(--soft)}
li small{display:block;color:var(--soft);font-size:.75rem}
li.quiet{color:var(--soft);font-style:italic}
.flag{display:block;color:#b02a37;font-size:.85rem}.flag:before{content:'\\26A0  '}
@media(prefers-color-scheme:dark){.flag{color:#ff8f98}}
.pictures{flex:0 1 27rem;display:grid;grid-template-columns:1fr 1fr;gap:.5rem}
figure{margin:0;min-width:0}
img{width:100%;height:auto;background:#000;border-radius:3px}
figcaption{font-size:.72rem;color:var(--soft)}
details{border-top:1px solid var(--line);padding:.6rem 0}
table{border-collapse:collapse;font-size:.75rem;width:100%}
td,th{text-align:left;vertical-align:top;padding:.15rem .5rem .15rem 0;border-bottom:1px solid var(--line)}
@media print{body{margin:0;max-width:none}details{display:none}}
""".strip()
