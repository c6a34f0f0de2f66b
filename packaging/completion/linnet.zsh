#compdef linnet
# Completion of linnet's command line for zsh. The binary itself says what may come next, so there is
# nothing to keep up to date here.

_linnet() {
  local line word none=1
  local -a lines plain open
  lines=("${(@f)$(_call_program linnet ${(q)words[1]} complete -- ${(@q)${(@Q)words[2,CURRENT]}} 2>/dev/null)}")
  for line in $lines; do
    word=${line%%$'\t'*}
    case $word in
      :files) _files && none=0 ;;
      :folders) _files -/ && none=0 ;;
      *=) open+=("${word//:/\\:}:${line#*$'\t'}") ;;
      *) plain+=("${word//:/\\:}${${line#$word}/$'\t'/:}") ;;
    esac
  done
  ((${#plain})) && _describe -t words linnet plain && none=0
  ((${#open})) && _describe -t keys key open -S '' && none=0
  return none
}

_linnet "$@"
