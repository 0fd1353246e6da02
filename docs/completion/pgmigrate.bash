# bash completion for pgmigrate; printed by: pgmigrate help --completion=bash
_pgmigrate()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= words= i
    COMPREPLY=()
    # "--option=value" arrives as three words.
    [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}
    [[ $cur == = ]] && cur=
    case $prev in
        -d|--database) return ;;
        -e|--environment) return ;;
        -c|--config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        -m|--migrations) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return ;;
        --folder) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --numbering) COMPREPLY=($(compgen -W 'sequence timestamp auto' -- "$cur")); return ;;
        --layout) COMPREPLY=($(compgen -W 'auto native updown sections flyway' -- "$cur")); return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            -d|--database|-e|--environment|-c|--config|-m|--migrations|--color) [[ ${COMP_WORDS[i+1]} == = ]] && ((i++)); ((i++)) ;;
            -*|=) ;;
            *)
                command=${command:+$command }${COMP_WORDS[i]}
                case $command in
                    ''|cluster) ;;
                    *) break ;;
                esac ;;
        esac
    done
    case $command in
        '') [[ $cur == -* ]] || words='cluster help new' ;;
        cluster) [[ $cur == -* ]] || words='start stop status url' ;;
        'cluster start') words='--folder' ;;
        'cluster stop') words='--folder --remove' ;;
        'cluster status') words='--folder' ;;
        'cluster url') words='--folder' ;;
        'help') words='' ;;
        'new') words='--numbering --layout' ;;
    esac
    words+=' --database --environment --config --migrations --json --quiet --verbose --color --yes --help --version'
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _pgmigrate pgmigrate
