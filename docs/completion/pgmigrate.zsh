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
        {-y,--yes}'[confirm what a protected environment asks]'
        {-h,--help}'[print help and exit]'
        '--version[print the version and exit]'
    )
    _arguments -C $common '1:command:->command' '*::argument:->argument' && return
    if [[ $state == command ]]; then
        commands=(
        'new:write the files of the next migration'
        'check:find mistakes in migration files, without a database'
        'status:show what is applied, pending, changed or missing'
        'plan:show what apply would do, in order'
        'apply:apply pending migrations'
        'rollback:run rollback scripts, newest first'
        'rehearse:try pending migrations where it does no harm, and measure them'
        'rls:verify row-level security'
        'history:print the log of what was done, newest first'
        'baseline:mark everything up to a version as applied without running it'
        'repair:put the history of one version right'
        'backup:more commands'
        'restore:restore a backup into a new database'
        'doctor:say what is wrong with server, tools, permissions or settings'
        'cluster:more commands'
        'demo:show the whole story on an embedded server'
        'help:print the help of a command'
        )
        _describe command commands
        return
    fi
    name=$words[1]
    case $name in
        backup)
        if [[ $words[2] != -* ]]; then
        if (( CURRENT == 2 )); then
        commands=(
        'create:take a backup'
        'list:list backups, newest first'
        'show:print everything known of one backup'
        'verify:look whether a backup is whole'
        'test:restore a backup into a throwaway cluster and compare everything'
        'keep:mark a backup as one that prune never removes'
        'unkeep:take that mark away'
        'prune:remove backups that no rule keeps; a dry run without --confirm'
        'gc:remove what crashed runs left'
        'reindex:make the catalog anew from the records'
        )
        _describe command commands
        return
        fi
        name+=" $words[2]"
        shift words
        (( CURRENT-- ))
        fi ;;
        cluster)
        if [[ $words[2] != -* ]]; then
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
        (( CURRENT-- ))
        fi ;;
    esac
    case $name in
        'new') options=(
            '--numbering=[how a new migration is numbered; auto does as the folder does]:STYLE:(sequence timestamp auto)'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            ) ;;
        'check') options=(
            '--base=[compare with a branch\: what is new here, numbers taken there, files edited that it has]:GITREF:'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            '--duplicate-versions=[whether two files may have one number; allowed ones are ordered by name]:ACTION:(refuse allow)'
            '--rollback-required=[what a migration without rollback is; unset\: yes in protected environments, else warn]:WHEN:(yes warn no)'
            '--protected[take the environment as a protected one]'
            ) ;;
        'status'|info) options=(
            '--exit-code[exit with 3 when migrations are pending]'
            '*--evidence=[what "rehearse --evidence" wrote elsewhere]:FILE:_files'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            '--duplicate-versions=[whether two files may have one number; allowed ones are ordered by name]:ACTION:(refuse allow)'
            '--rollback-required=[what a migration without rollback is; unset\: yes in protected environments, else warn]:WHEN:(yes warn no)'
            '--protected[take the environment as a protected one]'
            ) ;;
        'plan') options=(
            '--to=[stop after this version]:VERSION:'
            '--out-of-order[also files older than what is applied]'
            '*--evidence=[what "rehearse --evidence" wrote elsewhere]:FILE:_files'
            '*--set=[value for scripts with "variables"]:NAME=VALUE:'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            '--duplicate-versions=[whether two files may have one number; allowed ones are ordered by name]:ACTION:(refuse allow)'
            '--rollback-required=[what a migration without rollback is; unset\: yes in protected environments, else warn]:WHEN:(yes warn no)'
            '--protected[take the environment as a protected one]'
            ) ;;
        'apply'|up|migrate) options=(
            '--to=[stop after this version]:VERSION:'
            '--dry-run[run everything in one transaction and roll it back]'
            '--backup[take and verify a backup before anything is applied]'
            '--require-rehearsal[refuse files of which no rehearsal passed]'
            '--rehearsal-max-age=[apply wants a rehearsal of every file that is not older; unset\: 7d in protected environments; empty\: none is wanted]:AGE:'
            '*--evidence=[what "rehearse --evidence" wrote elsewhere]:FILE:_files'
            '--rls-gate=[what apply rolls back\: new findings, all, or off; unset\: new where this section is in use]:WHAT:(off new all)'
            '--out-of-order[also run files older than what is applied]'
            '*--set=[value for scripts with "variables"]:NAME=VALUE:'
            '--lock-timeout=[how long one attempt waits for a table lock; 0 waits without end]:MS:'
            '--statement-timeout=[how long one statement may run; 0 sets no limit]:MS:'
            '--max-wait=[how long a migration is tried again for its table locks; a bare number is seconds]:SECONDS:'
            '--wait-lock=[how long to wait for another run to end; a bare number is seconds]:SECONDS:'
            '--role=[role that migrations run as (SET ROLE)]:ROLE:'
            '--pooler=[what stands between us and the server\: session is a pooler that keeps one server connection per client]:MODE:(none session)'
            '--batch=[how many migrations may be in flight at once; each still has its own transaction]:N:'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            '--duplicate-versions=[whether two files may have one number; allowed ones are ordered by name]:ACTION:(refuse allow)'
            '--rollback-required=[what a migration without rollback is; unset\: yes in protected environments, else warn]:WHEN:(yes warn no)'
            '--protected[take the environment as a protected one]'
            ) ;;
        'rollback'|down) options=(
            '--to=[roll back everything after VERSION, which stays; 0\: everything]:VERSION:'
            '--steps=[roll back the N newest \[default\: 1\]]:N:'
            '--dry-run[run everything in one transaction and undo it]'
            '--accept-data-loss[also when tables or columns with data disappear]'
            '--use=[which rollback script\: the one stored when it was applied (default), or the file]:SOURCE:(stored file)'
            '*--set=[value for scripts with "variables"]:NAME=VALUE:'
            '--lock-timeout=[how long one attempt waits for a table lock; 0 waits without end]:MS:'
            '--statement-timeout=[how long one statement may run; 0 sets no limit]:MS:'
            '--max-wait=[how long a migration is tried again for its table locks; a bare number is seconds]:SECONDS:'
            '--no-verify[leave out the verify script of what is the newest afterwards]'
            '--reason=[why; goes to the log]:TEXT:'
            '--wait-lock=[how long to wait for another run to end; a bare number is seconds]:SECONDS:'
            '--role=[role that migrations run as (SET ROLE)]:ROLE:'
            '--pooler=[what stands between us and the server\: session is a pooler that keeps one server connection per client]:MODE:(none session)'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            '--duplicate-versions=[whether two files may have one number; allowed ones are ordered by name]:ACTION:(refuse allow)'
            '--rollback-required=[what a migration without rollback is; unset\: yes in protected environments, else warn]:WHEN:(yes warn no)'
            '--protected[take the environment as a protected one]'
            ) ;;
        'rehearse') options=(
            '--on=[the staging database, or an environment'\''s name; default\: the database of --database and --environment]:CONNINFO:'
            '--scratch[in a scratch copy on the staging server, dropped afterwards (default)]'
            '--in-place[in the staging database itself, which is left migrated]'
            '--embedded[in a private throwaway cluster]'
            '--from-backup=[fill it from a backup\: an id or "latest"]:BACKUP:'
            '--keep[keep the scratch database]'
            '--against=[the target, or an environment'\''s name\: its settings, and its sizes for the estimate; only read]:CONNINFO:'
            '--facts=[sizes of the target, from --export-facts]:FILE:_files'
            '--export-facts=[write sizes of --against to a file, and end]:FILE:_files'
            '--evidence=[write what was found as a JSON document]:FILE:_files'
            '--html=[write it as a page for a browser]:FILE:_files'
            '--to=[stop after this version]:VERSION:'
            '--out-of-order[also run files older than what is applied]'
            '--round-trip=[each goes back after every migration (default), chain after all of them]:HOW:(each chain none)'
            '--probe-victims[read and write the touched tables meanwhile, and tell the longest stall]'
            '--rls-gate=[what apply rolls back\: new findings, all, or off; unset\: new where this section is in use]:WHAT:(off new all)'
            '--probe-tenants[after each migration and after its rollback, also try to reach other tenants'\'' rows]'
            '--window-lock=[a maintenance window is advised where ACCESS EXCLUSIVE is held longer than this]:MS:'
            '--window-table=[on tables larger than this]:SIZE:'
            '--window-time=[and where all migrations together are expected to take longer than this]:MS:'
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            '*--set=[value for scripts with "variables"]:NAME=VALUE:'
            '--lock-timeout=[how long one attempt waits for a table lock; 0 waits without end]:MS:'
            '--statement-timeout=[how long one statement may run; 0 sets no limit]:MS:'
            '--max-wait=[how long a migration is tried again for its table locks; a bare number is seconds]:SECONDS:'
            '--wait-lock=[how long to wait for another run to end; a bare number is seconds]:SECONDS:'
            '--role=[role that migrations run as (SET ROLE)]:ROLE:'
            '--pooler=[what stands between us and the server\: session is a pooler that keeps one server connection per client]:MODE:(none session)'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            '--duplicate-versions=[whether two files may have one number; allowed ones are ordered by name]:ACTION:(refuse allow)'
            '--rollback-required=[what a migration without rollback is; unset\: yes in protected environments, else warn]:WHEN:(yes warn no)'
            '--protected[take the environment as a protected one]'
            ) ;;
        'rls') options=(
            '*--role=[a role that the application works as]:ROLE:'
            '--tenant-column=[columns that say whose a row is]:NAMES:'
            '--tenant-setting=[settings of the server that say who the tenant is, such as app.current_tenant_id]:NAMES:'
            '--tenant-role=[the role of a tenant where each has its own, such as tenant_{tenant}]:ROLE:'
            '--schemas=[schemas whose tables are verified, separated by commas; unset\: all but the system'\''s. In every list of names * stands for anything]:NAMES:'
            '--exempt=[tables that are everybody'\''s although they have such a column]:TABLES:'
            '--tenants-query=[a query that answers two of them]:SQL:'
            '*--through=[a table that reaches its tenant through a foreign key to this parent]:TABLE=PARENT:'
            '*--tenant-set=[a setting that says who the tenant is, with {tenant} in its value]:NAME=TEMPLATE:'
            '--static-only[look at the catalogs only, as nobody but the role that connects]'
            '--probe[also try to reach other tenants'\'' rows, in a transaction that is undone]'
            '--tenants=[two tenants to probe with, separated by a comma, or make; unset\: two that are in the tables]:A,B:'
            '--scratch[in a scratch copy of the database, dropped afterwards]'
            '--from-backup=[in a backup, restored into a throwaway cluster\: an id or "latest"]:BACKUP:'
            '--fail-on=[the least severe finding that makes rls exit with 3, and that the gate of apply refuses]:SEVERITY:(info low medium high)'
            '--baseline=[file of findings that are accepted, each with a reason and the day until which it is]:FILE:_files'
            '--write-baseline=[accept what is found in this file for 90 days; what it has of reasons stays]:FILE:_files'
            '--suggest[look at the database, and print a section \[rls\] for the configuration]'
            '--sarif=[write what was found as SARIF 2.1.0, for code hosts]:FILE:_files'
            '--junit=[write what was found as JUnit XML, for CI]:FILE:_files'
            ) ;;
        'history') options=(
            '--limit=[only the newest N entries]:N:'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            ) ;;
        'baseline') options=(
            '--dry-run[only list what would be marked]'
            '--reason=[why; goes to the log]:TEXT:'
            '--wait-lock=[how long to wait for another run to end; a bare number is seconds]:SECONDS:'
            '--role=[role that migrations run as (SET ROLE)]:ROLE:'
            '--pooler=[what stands between us and the server\: session is a pooler that keeps one server connection per client]:MODE:(none session)'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            '--duplicate-versions=[whether two files may have one number; allowed ones are ordered by name]:ACTION:(refuse allow)'
            '--rollback-required=[what a migration without rollback is; unset\: yes in protected environments, else warn]:WHEN:(yes warn no)'
            '--protected[take the environment as a protected one]'
            ) ;;
        'repair') options=(
            '--accept-checksum[the changed file is right]'
            '--mark-applied[it was applied by hand]'
            '--mark-rolled-back[it was rolled back by hand]'
            '--accept-missing[its file is rightly gone]'
            '--clear[forget a half-run script; it starts from the beginning]'
            '--resume-at=[a half-run script goes on at statement N]:N:'
            '--reason=[why; goes to the log; required]:TEXT:'
            '--wait-lock=[how long to wait for another run to end; a bare number is seconds]:SECONDS:'
            '--role=[role that migrations run as (SET ROLE)]:ROLE:'
            '--pooler=[what stands between us and the server\: session is a pooler that keeps one server connection per client]:MODE:(none session)'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            '--duplicate-versions=[whether two files may have one number; allowed ones are ordered by name]:ACTION:(refuse allow)'
            '--rollback-required=[what a migration without rollback is; unset\: yes in protected environments, else warn]:WHEN:(yes warn no)'
            '--protected[take the environment as a protected one]'
            ) ;;
        'backup create'|backup) options=(
            {-j+,--jobs=}'[connections that copy at the same time]:N:'
            '--repository=[folder of the backups; it is made when the first one is taken]:DIR:_files -/'
            '--tag=[a word to find it by]:TEXT:'
            '--level=[how hard zstd compresses, from 1 (fast) to 19 (small)]:N:'
            '--split-larger-than=[tables larger than this are copied by several connections at once]:SIZE:'
            '*--attach=[keep a command'\''s output in the backup, under NAME]:NAME=COMMAND:'
            '--verify[read it back afterwards and compare all digests]'
            '--lock-wait-timeout=[how long a backup waits for its table locks; a bare number is seconds]:SECONDS:'
            '--max-block=[how long a backup may make others wait for a lock before it gives up; 0 only warns]:SECONDS:'
            '--role-passwords[globals.sql also holds the roles'\'' password hashes (superuser)]'
            '--role=[read as this role (SET ROLE)]:ROLE:'
            '--wait-lock=[how long to wait for another run to end; a bare number is seconds]:SECONDS:'
            '--pooler=[what stands between us and the server\: session is a pooler that keeps one server connection per client]:MODE:(none session)'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            ) ;;
        'backup list') options=(
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            '--of=[only backups of the database of this name]:NAME:'
            '--older-than=[exit 3 unless every database in the list has a good backup younger than this, such as 26h]:AGE:'
            '--metrics=[also write a file for Prometheus'\'' textfile collector]:FILE:_files'
            ) ;;
        'backup show') options=(
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            ) ;;
        'backup verify') options=(
            '--decode[also decode every frame and recompute rows and fingerprints]'
            {-j+,--jobs=}'[connections that copy at the same time]:N:'
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            ) ;;
        'backup test') options=(
            {-j+,--jobs=}'[connections that copy at the same time]:N:'
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            ) ;;
        'backup keep') options=(
            '--reason=[why, for those who find it]:TEXT:'
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            ) ;;
        'backup unkeep') options=(
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            ) ;;
        'backup prune') options=(
            '--keep-last=[keep the newest N backups]:N:'
            '--keep-daily=[keep the newest backup of each of the last N days that have one]:N:'
            '--keep-weekly=[keep the newest backup of each of the last N weeks that have one]:N:'
            '--keep-monthly=[keep the newest backup of each of the last N months that have one]:N:'
            '--keep-within=[keep every backup that is at most so much older than the newest, such as 7d]:AGE:'
            '--drop-referenced[also remove backups that the history of the last 30 days points at, or may point at]'
            '--despite-failure[also when the latest run failed]'
            '--confirm[remove; without it, only the plan is printed]'
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            ) ;;
        'backup gc') options=(
            '--dry-run[only say what would be removed]'
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            ) ;;
        'backup reindex') options=(
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            ) ;;
        'restore') options=(
            '--to=[the new database \[default\: <database>_restore_<time>\]]:NEWDB:'
            '--swap[put it in the place of the database, which is kept under another name]'
            '*--table=[only this table, with what it needs]:NAME:'
            '--schema-only[no rows]'
            {-j+,--jobs=}'[connections that copy at the same time]:N:'
            '--before=[the last backup before that migration was applied]:VERSION:'
            '--before-time=[the last backup before that time (RFC 3339)]:TIME:'
            '--resume[go on with a restore that was interrupted]'
            '--no-owner[everything belongs to whoever restores]'
            '--no-privileges[leave out GRANT and REVOKE]'
            '--create-missing-roles[create roles that are missing, without login]'
            '--no-compare[do not read the tables back to compare them with the backup]'
            '--dry-run[show the plan and what is in the way]'
            '--confirm=[the database that --swap replaces, or an empty one that is to be filled though its locale is not the backup'\''s]:DBNAME:'
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            ) ;;
        'doctor') options=(
            '--role=[role that migrations run as (SET ROLE)]:ROLE:'
            '--pooler=[what stands between us and the server\: session is a pooler that keeps one server connection per client]:MODE:(none session)'
            '--repository=[folder of the backups; it is made when the first one is taken]:PATH:'
            '--max-age=[doctor finds it wrong when the newest backup is older, such as 26h, or none was ever restored in a test]:AGE:'
            '--history-table=[where the database keeps what was applied, as schema.table]:\[SCHEMA.\]TABLE:'
            '--layout=[how files are named and where rollbacks stand; auto looks at each file]:LAYOUT:(auto native updown sections flyway)'
            '--duplicate-versions=[whether two files may have one number; allowed ones are ordered by name]:ACTION:(refuse allow)'
            '--rollback-required=[what a migration without rollback is; unset\: yes in protected environments, else warn]:WHEN:(yes warn no)'
            '--protected[take the environment as a protected one]'
            ) ;;
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
        'demo') options=(
            '--keep[keep the demo'\''s folder and server, and say how to go on with them]'
            ) ;;
        'help') options=(
            ) ;;
    esac
    _arguments $common $options '*:argument:_default'
}
_pgmigrate "$@"
