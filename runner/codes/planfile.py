"""Codes of plan files: written, read, signed, and held against what there is now."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "plan-file": CodePage(
        "a plan file cannot be read, is damaged, or is no plan file",
        "A plan file is what `runner plan PLAYBOOK --out FILE` wrote, with a digest over all of it. It is not edited by"
        " hand: what is to run is said in the playbook, and the plan is made again. Nothing was run.",
        "runner apply patch.yml",
        "runner plan patch.yml -i prod.yml --out patch.plan && runner apply patch.plan",
    ),
    "plan-not-written": CodePage(
        "a plan file cannot be written",
        "The folder is missing, is not yours, or its disk is full. A plan file that was there before is as it was.",
        "runner plan patch.yml -i prod.yml --out missing/patch.plan",
        "mkdir missing && runner plan patch.yml -i prod.yml --out missing/patch.plan",
    ),
    "plan-changed": CodePage(
        "a plan file is to be applied, and what it was made from is another thing now",
        "`runner apply` makes the plan again, with the same options and the same instant, and runs it only where it"
        " comes out the same. Each file, input, host and step that differs is named. Look at what changed, make the plan"
        " again and have it approved again. Nothing was run.",
        "runner apply patch.plan   # the playbook was edited since",
        "runner plan patch.yml -i prod.yml --out patch.plan && runner apply patch.plan",
    ),
    "plan-version": CodePage(
        "a plan file was written by another version of the runner",
        "The format is the same, so that it is compared and run; what another version does with the same plan may"
        " differ all the same. It is a warning.",
    ),
    "copy-not-planned": CodePage(
        "a plan file cannot hold the digest of a file that a step copies",
        "`copy` reads its `src` when it runs. Where the path is written out, the plan file keeps the file's digest and"
        " `apply` refuses another content. Where it comes of an expression, or of a `loop`, the file is not known yet: it"
        " is a warning, and the one who approves sees it.",
        "copy: {src: '{{ name }}.conf', dest: /etc/app.conf}",
        "copy: {src: app.conf, dest: /etc/app.conf}",
    ),
    "plan-root": CodePage(
        "the folder that a plan's paths are relative to cannot be entered",
        "A plan file keeps the working directory it was made in. Where the same files are elsewhere now, as in a new"
        " checkout, `--root` names that folder. Nothing was run.",
        "runner apply patch.plan",
        "runner apply patch.plan --root .",
    ),
    "plan-secret": CodePage(
        "a plan is to be applied without a secret input that it was made with",
        "Values of secret inputs are in no plan file. They are given again with `-e`. Nothing was run.",
        "runner apply patch.plan",
        "runner apply patch.plan -e @token.yml",
    ),
    "plan-signature": CodePage(
        "a plan file must be signed, and its signature is missing or is not accepted",
        "With `--allowed-signers FILE`, or the variable RUNNER_ALLOWED_SIGNERS, a plan is applied only if somebody"
        " whom the file names signed it: `ssh-keygen -Y sign -n runner-plan -f KEY FILE` writes `FILE.sig`. It is"
        " checked by `ssh-keygen -Y verify` before the plan is read, a secret is read or anything is connected.",
        "runner apply patch.plan --allowed-signers allowed_signers",
        "ssh-keygen -Y sign -n runner-plan -f ~/.ssh/id_ed25519 patch.plan",
    ),
}
