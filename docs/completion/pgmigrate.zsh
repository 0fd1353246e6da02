#compdef pgmigrate
# zsh completion for pgmigrate; printed by: pgmigrate help --completion=zsh
_pgmigrate() {
    local state line name
    local -a common commands options
    common=(
        {-d+,--database=}'[database\: URI, keywords, service=NAME or embedded\:]:CONNINFO:'
        {-e+,--environment=}'[section \[environment NAME\] of the configuration]:NAME:'
        {-c+,--config=}'[configuration, else pgmigrate.conf here or above]:FILE:_files'
        '*'{-m+,--migrations=}'[folder of migrations]:DIR:_files -/'
        '--json[print one JSON document on stdout]'
        {-q,--quiet}'[print nothing but errors on stderr]'
        {-v,--verbose}'[print more on stderr]'
        '--color=[colors; NO_COLOR is honored]:WHEN:(auto always never)'
        {-y,--yes}'[do not ask]'
        {-h,--help}'[print help and exit]'
        '--version[print the version and exit]'
    )
    _arguments -C $common '1:command:->command' '*::argument:->argument' && return
    if [[ $state == command ]]; then
        commands=(
        'cluster:more commands'
        'help:print the help of a command'
        'new:write the files of the next migration'
        )
        _describe command commands
        return
    fi
    name=$words[1]
    case $name in
        cluster)
        if (( CURRENT == 2 )); then
        commands=(
        'start:start a private throwaway PostgreSQL'
        'stop:stop the private PostgreSQL'
        'status:show whether the private PostgreSQL runs, and where'
        'url:print the connection URI of the private PostgreSQL'
        )
        _describe command commands
        return
        fi
        name+=" $words[2]"
        shift words
        (( CURRENT-- )) ;;
    esac
    case $name in
        'cluster start') options=(
            '--folder=[the cluster'\''s folder (default\: .pgmigrate/cluster beside pgmigrate.conf or in this folder)]:DIR:_files -/'
            ) ;;
        'cluster stop') options=(
            '--folder=[the cluster'\''s folder (default\: .pgmigrate/cluster beside pgmigrate.conf or in this folder)]:DIR:_files -/'
            '--remove[remove the cluster with all its data]'
            ) ;;
        'cluster status') options=(
            '--folder=[the cluster'\''s folder (default\: .pgmigrate/cluster beside pgmigrate.conf or in this folder)]:DIR:_files -/'
            ) ;;
        'cluster url') options=(
            '--folder=[the cluster'\''s folder (default\: .pgmigrate/cluster beside pgmigrate.conf or in this folder)]:DIR:_files -/'
            ) ;;
        'help') options=(
            ) ;;
        'new') options=(
            '--numbering=[how a new migration is numbered; auto does as the folder does]:STYLE:(sequence timestamp auto)'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            ) ;;
    esac
    _arguments $common $options '*:argument:_default'
}
_pgmigrate "$@"
