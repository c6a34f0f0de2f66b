# Completion of linnet's command line for bash. The binary itself says what may come next, so there
# is nothing to keep up to date here.

_linnet() {
  local words=() piece glued='' at
  local -A kinds=([:files]=file [:folders]=directory)
  # bash breaks words at = and :, which stand within those of linnet.
  for ((at = 1; at <= COMP_CWORD; ++at)); do
    piece=${COMP_WORDS[at]}
    if ((${#words[@]} > 0)) && [[ -n $glued || $piece == [=:]* ]]; then
      words[-1]+=$piece
    else
      words+=("$piece")
    fi
    glued=''
    [[ $piece == *[=:] ]] && glued=yes
  done
  # What bash will not replace: all before the last break.
  local last=${words[-1]} kept candidate name
  kept=${last%"${last##*[=:]}"}
  while IFS=$'\t' read -r candidate _; do
    case $candidate in
      :files | :folders)
        compopt -o filenames
        while read -r name; do
          COMPREPLY+=("$name")
        done < <(compgen -A "${kinds[$candidate]}" -- "${last#"$kept"}")
        ;;
      *)
        [[ $candidate == *= ]] && compopt -o nospace
        COMPREPLY+=("${candidate#"$kept"}")
        ;;
    esac
  done < <("${COMP_WORDS[0]}" complete -- "${words[@]}" 2>/dev/null)
}

complete -F _linnet linnet
