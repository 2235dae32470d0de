"""A page a person can read out in a call: what is wrong, where, the worst first."""

findings = $Using:findings.output
hosts = len($Using:results.system)

ORDER = ["error", "warning"]
findings.sort(key=lambda found: (ORDER.index(found["severity"]), found["about"]))

print(f"{hosts} hosts looked at, {len(findings)} findings")
for found in findings:
    names = ", ".join(found["hosts"][:5])
    more = f" and {len(found['hosts']) - 5} more" if len(found["hosts"]) > 5 else ""
    print(f"{found['severity']:<8} {found['about']:<14} {names}{more}: {found['finding']}")
if not findings:
    print("nothing differs, nothing is wrong")
