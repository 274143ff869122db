"""Shell code that turns the completion of `ftrun` on and off."""

from __future__ import annotations

from collections.abc import Mapping

INSTALL: Mapping[str, str] = {
    "bash": """\
_ftrun_complete() {
    local candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORD="$2" \\
        "${COMP_WORDS[0]/#\\~/$HOME}" --shell-completion query=bash 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=./,[] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o nosort -F _ftrun_complete ftrun 2>/dev/null || complete -F _ftrun_complete ftrun""",
    "zsh": """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u }
_ftrun_complete() {
    # -U: ftrun has already matched the candidates, and zsh would read a bracket as a pattern
    local candidate text tab=$'\\t'
    local -a open done shown
    for candidate in ${(f)"$(COMP_LINE="${(j: :)words[1,CURRENT]}" \\
            ${(Q)~words[1]} --shell-completion query=zsh 2>/dev/null)"}; do
        text=${candidate%%$tab*}
        if [[ $text == *[=./,[] ]]; then
            open+=("$text")
        else
            done+=("$text"); shown+=("$text${${candidate#$text}:+  ${candidate#*$tab}}")
        fi
    done
    (( $#open )) && compadd -U -S '' -a open
    (( $#done )) && compadd -U -l -d shown -a done
    return 0
}
compdef _ftrun_complete ftrun""",
    "fish": """\
function __ftrun_complete
    set -l line (commandline -cp)
    set -l command (commandline -opc)[1]
    env COMP_LINE="$line" $command --shell-completion query=fish 2>/dev/null
end
complete -c ftrun -e
complete -c ftrun -f -k -a '(__ftrun_complete)'""",
}
UNINSTALL: Mapping[str, str] = {
    "bash": "complete -r ftrun; unset -f _ftrun_complete",
    "zsh": "compdef -d ftrun; unfunction _ftrun_complete",
    "fish": "complete -c ftrun -e; functions -e __ftrun_complete",
}
