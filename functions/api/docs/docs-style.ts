import { theme } from '#playground';

/** CSS of the reference. */
export const DOCS_STYLE = `${theme}
.top{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;align-items:baseline;max-width:72rem;margin:0 auto;padding:1rem 1rem .75rem}
h1{margin:0;font-size:1.125rem}
h1 span{color:var(--muted);font-weight:400}
.top nav{margin-left:auto;display:flex;gap:1.25rem;font-size:.875rem}
.skip{position:absolute;left:1rem;top:-4rem;padding:.5rem 1rem;background:var(--accent);color:var(--on-accent)}
.skip:focus{top:0}
.page{display:grid;gap:1.5rem;max-width:72rem;margin:0 auto;padding:0 1rem 4rem}
main{min-width:0}
.contents{font-size:.875rem}
.contents h2{margin:1rem 0 .25rem;font-size:.8125rem;color:var(--muted)}
.contents ul{margin:0;padding:0;list-style:none}
.contents li{padding:.2rem 0}
.contents a{color:inherit;text-decoration:none}
.contents .names{display:none}
.contents a:hover{text-decoration:underline}
section,article{margin:0 0 1.25rem;padding:1.25rem;border:1px solid var(--line);border-radius:.75rem;background:var(--panel);scroll-margin-top:1rem}
section h2,article h2{margin:0 0 .5rem;font-size:1.25rem}
h3{margin:1.5rem 0 .5rem;font-size:.9375rem}
p{margin:.5rem 0;max-width:44rem}
.route{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:center;font:600 .9375rem/1.5 var(--mono);overflow-wrap:anywhere}
.method{padding:.05rem .5rem;border-radius:.375rem;background:var(--accent);color:var(--on-accent);font-size:.8125rem}
.get{background:var(--good);color:var(--panel)}
.quiet{color:var(--muted);font-size:.8125rem}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:.875rem}
th,td{padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--muted);font-weight:600}
td:first-child{white-space:nowrap}
tr:last-child td{border-bottom:0}
code,pre{font:.8125rem/1.55 var(--mono)}
td code{white-space:nowrap}
td code,p code,li code,summary code{padding:.05rem .3rem;border-radius:.25rem;background:var(--sunken);overflow-wrap:anywhere}
pre{margin:.5rem 0;padding:.75rem 1rem;border-radius:.5rem;background:var(--sunken);overflow:auto;white-space:pre}
.wrap{white-space:pre-wrap;overflow-wrap:anywhere}
details{border-top:1px solid var(--line)}
details:last-child{border-bottom:1px solid var(--line)}
summary{padding:.625rem 0;cursor:pointer}
.status{display:inline-block;min-width:2.75rem;font:600 .8125rem/1.5 var(--mono)}
.ok{color:var(--good)}
.bad{color:var(--bad)}
.inside{padding:0 0 .75rem 1rem}
h4{margin:.75rem 0 .25rem;font-size:.8125rem;color:var(--muted)}
@media(min-width:60rem){.contents .names{display:block}.page{grid-template-columns:14rem minmax(0,1fr);padding-inline:1.5rem}.top{padding-inline:1.5rem}.contents{position:sticky;top:1rem;align-self:start;max-height:calc(100vh - 2rem);overflow:auto}}
@media print{.contents{display:none}section,article{border:0;padding:0}}
`;
