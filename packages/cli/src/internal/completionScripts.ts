/** What each shell has to know: how to ask `contextfs __complete WORD...` and how to show what it answers. */

/** The hidden command; its last word is the one under the cursor. */
export const asking = "__complete"

// Of bash 3.2 as of bash 5: words are broken at `=`, and come back whole, so that what bash will replace is cut off again.
const bash = `# contextfs for bash: eval "$(contextfs completions bash)"
_contextfs() {
  local words=() line kind prefix raw=\${COMP_WORDS[COMP_CWORD]} i last
  for ((i = 1; i <= COMP_CWORD; i++)); do
    last=$((\${#words[@]} - 1))
    if ((last >= 0)) && [[ \${words[last]} == --* && ( \${COMP_WORDS[i]} == = || \${COMP_WORDS[i-1]} == = ) ]]; then
      words[last]+=\${COMP_WORDS[i]}
    else
      words+=("\${COMP_WORDS[i]}")
    fi
  done
  [[ $raw == = ]] && raw=
  local current=\${words[\${#words[@]}-1]}
  local cut=\${current%"$raw"}
  COMPREPLY=()
  {
    IFS= read -r kind
    IFS= read -r prefix
    case $kind in
      words)
        while IFS= read -r line; do
          line=\${line%%$'\\t'*}
          [[ $line == "$current"* ]] && COMPREPLY+=("\${line#"$cut"}")
        done
        ;;
      files) compopt -o default 2>/dev/null || while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$raw") ;;
      directories) compopt -o dirnames 2>/dev/null || while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$raw") ;;
    esac
  } < <("$1" ${asking} "\${words[@]}" 2>/dev/null)
}
complete -F _contextfs contextfs
`

const zsh = `#compdef contextfs
# contextfs for zsh: eval "$(contextfs completions zsh)"
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
_contextfs() {
  local -a answer candidates
  local line
  answer=("\${(@f)$("\${(Q)words[1]}" ${asking} "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  case $answer[1] in
    words)
      for line in "\${(@)answer[3,-1]}"; do
        [[ -n $line ]] && candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}")
      done
      # -o is for options alone: with it, zsh offers words only after a hyphen.
      if [[ $PREFIX == -* ]]; then _describe -o contextfs candidates; else _describe contextfs candidates; fi
      ;;
    files) compset -P "\${(b)answer[2]}"; _files ;;
    directories) compset -P "\${(b)answer[2]}"; _files -/ ;;
  esac
}
if [[ $funcstack[1] == _contextfs ]]; then
  _contextfs "$@"
else
  compdef _contextfs contextfs
fi
`

const fish = `# contextfs for fish: contextfs completions fish | source
function __contextfs_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l answer ($words[1] ${asking} $words[2..] "$current" 2>/dev/null)
  set -l value (string replace -- "$answer[2]" "" "$current")
  switch "$answer[1]"
    case words
      string join -- \\n $answer[3..]
    case files
      for path in (__fish_complete_path "$value")
        echo -- "$answer[2]$path"
      end
    case directories
      for path in (__fish_complete_directories "$value")
        echo -- "$answer[2]$path"
      end
  end
end
complete -c contextfs -f -a '(__contextfs_complete)'
`

export const scripts = { bash, zsh, fish }
