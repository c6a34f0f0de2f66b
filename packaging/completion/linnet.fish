# Completion of linnet's command line for fish. The binary itself says what may come next, so there
# is nothing to keep up to date here.

function __linnet_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :folders
                __fish_complete_directories "$current" ''
            case '*'
                echo $line
        end
    end
end

complete -c linnet -f -a '(__linnet_complete)'
