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
        --numbering) COMPREPLY=($(compgen -W 'sequence timestamp auto' -- "$cur")); return ;;
        --layout) COMPREPLY=($(compgen -W 'auto native updown sections flyway' -- "$cur")); return ;;
        --base) return ;;
        --duplicate-versions) COMPREPLY=($(compgen -W 'refuse allow' -- "$cur")); return ;;
        --rollback-required) COMPREPLY=($(compgen -W 'yes warn no' -- "$cur")); return ;;
        --evidence) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --history-table) return ;;
        --to) return ;;
        --set) return ;;
        --rehearsal-max-age) return ;;
        --rls-gate) COMPREPLY=($(compgen -W 'off new all' -- "$cur")); return ;;
        --lock-timeout) return ;;
        --statement-timeout) return ;;
        --max-wait) return ;;
        --wait-lock) return ;;
        --role) return ;;
        --pooler) COMPREPLY=($(compgen -W 'none session' -- "$cur")); return ;;
        --batch) return ;;
        --steps) return ;;
        --use) COMPREPLY=($(compgen -W 'stored file' -- "$cur")); return ;;
        --reason) return ;;
        --on) return ;;
        --from-backup) return ;;
        --against) return ;;
        --facts) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --export-facts) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --html) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --round-trip) COMPREPLY=($(compgen -W 'each chain none' -- "$cur")); return ;;
        --window-lock) return ;;
        --window-table) return ;;
        --window-time) return ;;
        --repository) return ;;
        --tenant-column) return ;;
        --tenant-setting) return ;;
        --tenant-role) return ;;
        --schemas) return ;;
        --exempt) return ;;
        --tenants-query) return ;;
        --through) return ;;
        --tenant-set) return ;;
        --tenants) return ;;
        --fail-on) COMPREPLY=($(compgen -W 'info low medium high' -- "$cur")); return ;;
        --baseline) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --write-baseline) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --sarif) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --junit) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --limit) return ;;
        --resume-at) return ;;
        -j|--jobs) return ;;
        --tag) return ;;
        --level) return ;;
        --split-larger-than) return ;;
        --attach) return ;;
        --lock-wait-timeout) return ;;
        --max-block) return ;;
        --of) return ;;
        --older-than) return ;;
        --metrics) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --keep-last) return ;;
        --keep-daily) return ;;
        --keep-weekly) return ;;
        --keep-monthly) return ;;
        --keep-within) return ;;
        --table) return ;;
        --before) return ;;
        --before-time) return ;;
        --confirm) return ;;
        --max-age) return ;;
        --folder) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            -d|--database|-e|--environment|-c|--config|-m|--migrations|--color) [[ ${COMP_WORDS[i+1]} == = ]] && ((i++)); ((i++)) ;;
            -*|=) ;;
            *)
                command=${command:+$command }${COMP_WORDS[i]}
                case $command in
                    ''|backup|cluster) ;;
                    *) break ;;
                esac ;;
        esac
    done
    case $command in
        '') [[ $cur == -* ]] || words='new check status info plan apply up migrate rollback down rehearse rls history baseline repair backup restore doctor cluster demo help' ;;
        backup) words='--jobs --repository --tag --level --split-larger-than --attach --verify --lock-wait-timeout --max-block --role-passwords --role --wait-lock --pooler --history-table'; [[ $cur == -* ]] || words='create list show verify test keep unkeep prune gc reindex' ;;
        cluster) words=''; [[ $cur == -* ]] || words='start stop status url' ;;
        'new') words='--numbering --layout' ;;
        'check') words='--base --layout --duplicate-versions --rollback-required --protected' ;;
        'status'|info) words='--exit-code --evidence --history-table --layout --duplicate-versions --rollback-required --protected' ;;
        'plan') words='--to --out-of-order --evidence --set --history-table --layout --duplicate-versions --rollback-required --protected' ;;
        'apply'|up|migrate) words='--to --dry-run --backup --require-rehearsal --rehearsal-max-age --evidence --rls-gate --out-of-order --set --lock-timeout --statement-timeout --max-wait --wait-lock --role --pooler --batch --history-table --layout --duplicate-versions --rollback-required --protected' ;;
        'rollback'|down) words='--to --steps --dry-run --accept-data-loss --use --set --lock-timeout --statement-timeout --max-wait --no-verify --reason --wait-lock --role --pooler --history-table --layout --duplicate-versions --rollback-required --protected' ;;
        'rehearse') words='--on --scratch --in-place --embedded --from-backup --keep --against --facts --export-facts --evidence --html --to --out-of-order --round-trip --probe-victims --rls-gate --probe-tenants --window-lock --window-table --window-time --repository --set --lock-timeout --statement-timeout --max-wait --wait-lock --role --pooler --history-table --layout --duplicate-versions --rollback-required --protected' ;;
        'rls') words='--role --tenant-column --tenant-setting --tenant-role --schemas --exempt --tenants-query --through --tenant-set --static-only --probe --tenants --scratch --from-backup --fail-on --baseline --write-baseline --suggest --sarif --junit' ;;
        'history') words='--limit --history-table' ;;
        'baseline') words='--dry-run --reason --wait-lock --role --pooler --history-table --layout --duplicate-versions --rollback-required --protected' ;;
        'repair') words='--accept-checksum --mark-applied --mark-rolled-back --accept-missing --clear --resume-at --reason --wait-lock --role --pooler --history-table --layout --duplicate-versions --rollback-required --protected' ;;
        'backup create') words='--jobs --repository --tag --level --split-larger-than --attach --verify --lock-wait-timeout --max-block --role-passwords --role --wait-lock --pooler --history-table' ;;
        'backup list') words='--repository --of --older-than --metrics' ;;
        'backup show') words='--repository' ;;
        'backup verify') words='--decode --jobs --repository' ;;
        'backup test') words='--jobs --repository' ;;
        'backup keep') words='--reason --repository' ;;
        'backup unkeep') words='--repository' ;;
        'backup prune') words='--keep-last --keep-daily --keep-weekly --keep-monthly --keep-within --drop-referenced --despite-failure --confirm --repository --history-table' ;;
        'backup gc') words='--dry-run --repository' ;;
        'backup reindex') words='--repository' ;;
        'restore') words='--to --swap --table --schema-only --jobs --before --before-time --resume --no-owner --no-privileges --create-missing-roles --no-compare --dry-run --confirm --repository' ;;
        'doctor') words='--role --pooler --repository --max-age --history-table --layout --duplicate-versions --rollback-required --protected' ;;
        'cluster start') words='--folder' ;;
        'cluster stop') words='--folder --remove' ;;
        'cluster status') words='--folder' ;;
        'cluster url') words='--folder' ;;
        'demo') words='--keep' ;;
        'help') words='' ;;
    esac
    words+=' --database --environment --config --migrations --json --quiet --verbose --color --yes --help --version'
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _pgmigrate pgmigrate
