# Completion of pipechat's command line in fish, made by `pipechat completions fish`.
# Put it into ~/.config/fish/completions/

# Whether the words belong to this subcommand; those without one are the server's.
function __pipechat_in
    set -l words (commandline -opc)
    set -l subcommand serve
    if set -q words[2]; and contains -- $words[2] serve send listen history wait who chat account cert completions help
        set subcommand $words[2]
    end
    test $subcommand = $argv[1]
end

# These words, each behind what stands before the last comma of the value that is being typed.
function __pipechat_list
    set -l value (commandline -ct | string replace -r '^--[^=]*=' '')
    string replace -r '[^,]*$' '' -- $value | read -l before
    printf '%s\n' $before$argv
end

# Whether there is no word yet that a subcommand could follow.
function __pipechat_bare
    test (count (commandline -opc)) = 1
end

complete -c pipechat -f
complete -c pipechat -n __pipechat_bare -a serve -d 'run the server, as without a command'
complete -c pipechat -n __pipechat_bare -a send -d 'send messages, and confirm that they were delivered'
complete -c pipechat -n __pipechat_bare -a listen -d 'print messages, arrivals and departures'
complete -c pipechat -n __pipechat_bare -a history -d 'print what was said in a room'
complete -c pipechat -n __pipechat_bare -a wait -d 'wait until a user is here or gone, or a text is said'
complete -c pipechat -n __pipechat_bare -a who -d 'print who is online'
complete -c pipechat -n __pipechat_bare -a chat -d 'interactive client'
complete -c pipechat -n __pipechat_bare -a account -d 'manage the accounts in a store'
complete -c pipechat -n __pipechat_bare -a cert -d 'make a certificate to try TLS with'
complete -c pipechat -n __pipechat_bare -a completions -d 'print completions for bash, zsh or fish'
complete -c pipechat -n __pipechat_bare -a help -d 'print help on a command, or a page of the manual'

complete -c pipechat -n '__pipechat_in serve' -l host -x -a '(__fish_print_hostnames)' -d 'address or name to listen on, or HOST:PORT (127.0.0.1)'
complete -c pipechat -n '__pipechat_in serve' -l port -x -d 'port to listen on; 0 picks a free port (9999)'
complete -c pipechat -n '__pipechat_in serve' -l listen -x -d 'listen here, and not on the default address and port unless --host or --port is given: tcp://HOST:PORT, tls://HOST:PORT or unix:/path; tcp+proxy:// and tls+proxy:// for the PROXY protocol; may be repeated'
complete -c pipechat -n '__pipechat_in serve' -l proxy-from -x -d 'addresses of proxies, which may connect to tcp+proxy:// and tls+proxy:// and tell whom for: ADDRESS or ADDRESS/BITS, separated by commas'
complete -c pipechat -n '__pipechat_in serve' -l peer -x -d 'the processes of this user of the machine, by number, are logged in to this account when they connect to unix:/path; may be repeated'
complete -c pipechat -n '__pipechat_in serve' -l tls-cert -r -F -d 'certificate for tls:// in PEM, with those that lead to a root'
complete -c pipechat -n '__pipechat_in serve' -l tls-key -r -F -d 'its key in PEM'
complete -c pipechat -n '__pipechat_in serve' -l lang -x -a 'zh en' -d 'language that connections begin with (zh)'
complete -c pipechat -n '__pipechat_in serve' -l max-clients -x -d 'maximum number of clients; 0 means the default (what the limit on open files allows)'
complete -c pipechat -n '__pipechat_in serve' -l max-clients-per-ip -x -d 'maximum number of clients from one address; 0 means no limit (no limit)'
complete -c pipechat -n '__pipechat_in serve' -l arrivals-per-ip -x -d 'new connections per second from one address, ten seconds\' worth at once; 0 means no limit (50)'
complete -c pipechat -n '__pipechat_in serve' -l trusted -x -d 'addresses without the limits for one address: ADDRESS or ADDRESS/BITS, separated by commas; \'\' means none (127.0.0.0/8,::1)'
complete -c pipechat -n '__pipechat_in serve' -l idle-timeout -x -d 'disconnect a client that sends nothing for this long; 0 disables it (5m)'
complete -c pipechat -n '__pipechat_in serve' -l strict-idle -d 'exempt no client from the idle timeout: refuse `stay`'
complete -c pipechat -n '__pipechat_in serve' -l max-wait -x -d 'longest `wait` that a client may ask for (1h)'
complete -c pipechat -n '__pipechat_in serve' -l rate -x -d 'lines per second that a client may send; 0 means no limit (1000)'
complete -c pipechat -n '__pipechat_in serve' -l burst -x -d 'lines that a client may send at once after a silence (10000)'
complete -c pipechat -n '__pipechat_in serve' -l rate-per-ip -x -d 'lines per second that all clients from one address may send; 0 means no limit (ten times the rate)'
complete -c pipechat -n '__pipechat_in serve' -l max-rooms -x -d 'maximum number of rooms; 0 means no limit (10000)'
complete -c pipechat -n '__pipechat_in serve' -l max-rooms-per-client -x -d 'maximum number of rooms that a client may be in, or that an address may have made; 0 means no limit (100)'
complete -c pipechat -n '__pipechat_in serve' -l recent -x -d 'messages and notices of each room that are kept in memory; 0 keeps none (1000)'
complete -c pipechat -n '__pipechat_in serve' -l recent-memory -x -d 'memory for those of all rooms together; the room that has been silent longest gives first (16M)'
complete -c pipechat -n '__pipechat_in serve' -l history-presence -d 'keep arrivals and departures in the lobby too'
complete -c pipechat -n '__pipechat_in serve' -l store -r -F -d 'keep messages and notices in this SQLite database, which is made if there is none'
complete -c pipechat -n '__pipechat_in serve' -l sync -x -a 'normal full' -d 'what a commit to the store survives: normal, the end of the process; full, a power cut too (normal)'
complete -c pipechat -n '__pipechat_in serve' -l history-lines -x -d 'messages and notices of each room that the store keeps; 0 means no limit (10000)'
complete -c pipechat -n '__pipechat_in serve' -l history-days -x -d 'days after which the store gives up a message; 0 means no limit (30)'
complete -c pipechat -n '__pipechat_in serve' -l store-max -x -d 'size of the store above which the oldest messages of the largest room go; 0 means no limit (1G)'
complete -c pipechat -n '__pipechat_in serve' -l registration -x -a 'open closed' -d 'whether users may register accounts: open, or closed (open)'
complete -c pipechat -n '__pipechat_in serve' -l insecure-login -d 'accept passwords over connections that are neither encrypted nor from this machine'
complete -c pipechat -n '__pipechat_in serve' -l require-login -d 'let nobody say or hear anything before it has logged in'
complete -c pipechat -n '__pipechat_in serve' -l offline-max -x -d 'private messages that are kept for an account that is away (1000)'
complete -c pipechat -n '__pipechat_in serve' -l max-line -x -d 'longest line (4K)'
complete -c pipechat -n '__pipechat_in serve' -l max-queue -x -d 'output queue limit per client; above it the client is disconnected; 0 means no limit (32M)'
complete -c pipechat -n '__pipechat_in serve' -l soft-queue -x -d 'output queue limit per client; above it for 60 seconds the client is disconnected; 0 means no limit (8M)'
complete -c pipechat -n '__pipechat_in serve' -l max-memory -x -d 'memory that all clients together may make the server hold; 0 means no limit (256M)'
complete -c pipechat -n '__pipechat_in serve' -l write-timeout -x -d 'disconnect a client after this long without write progress; 0 disables it (10s)'
complete -c pipechat -n '__pipechat_in serve' -l drain-timeout -x -d 'maximum time to flush queues and to finish storing at shutdown (5s)'
complete -c pipechat -n '__pipechat_in serve' -l config -r -F -d 'read options from this TOML file'
complete -c pipechat -n '__pipechat_in serve' -l check -d 'print the options in force and where each value comes from, and exit'
complete -c pipechat -n '__pipechat_in serve' -l help -d 'print help'
complete -c pipechat -n '__pipechat_in serve' -l version -d 'print the version'

complete -c pipechat -n '__pipechat_in send' -l host -x -a '(__fish_print_hostnames)' -d 'host of the server, or HOST:PORT (127.0.0.1)'
complete -c pipechat -n '__pipechat_in send' -l port -x -d 'port of the server (9999)'
complete -c pipechat -n '__pipechat_in send' -l tls -d 'encrypt the connection, and check who the server is'
complete -c pipechat -n '__pipechat_in send' -l ca -r -F -d 'trust servers whose certificate leads to one in this file (the system\'s)'
complete -c pipechat -n '__pipechat_in send' -l insecure -d 'encrypt without checking who the server is'
complete -c pipechat -n '__pipechat_in send' -l name -x -d 'name to take first; one that is taken is refused'
complete -c pipechat -n '__pipechat_in send' -l lang -x -a 'zh en' -d 'language of the server\'s texts (the server\'s)'
complete -c pipechat -n '__pipechat_in send' -l timeout -x -d 'how long to try to connect, and to wait for the confirmation of TEXT, or with - of each line; 0 means no limit (30s)'
complete -c pipechat -n '__pipechat_in send' -l reconnect -d 'connect again when the connection is lost, however often; lines that were not confirmed are sent again, so some may be delivered twice'
complete -c pipechat -n '__pipechat_in send' -l to -x -d 'user to send to, instead of everyone'
complete -c pipechat -n '__pipechat_in send' -l room -x -d 'room to send to, without joining it, instead of the lobby'
complete -c pipechat -n '__pipechat_in send' -l verbose -d 'print the position of each line when it is said, for --since; - where the server keeps no history'
complete -c pipechat -n '__pipechat_in send' -l help -d 'print help'
complete -c pipechat -n '__pipechat_in send' -l version -d 'print the version'

complete -c pipechat -n '__pipechat_in listen' -l host -x -a '(__fish_print_hostnames)' -d 'host of the server, or HOST:PORT (127.0.0.1)'
complete -c pipechat -n '__pipechat_in listen' -l port -x -d 'port of the server (9999)'
complete -c pipechat -n '__pipechat_in listen' -l tls -d 'encrypt the connection, and check who the server is'
complete -c pipechat -n '__pipechat_in listen' -l ca -r -F -d 'trust servers whose certificate leads to one in this file (the system\'s)'
complete -c pipechat -n '__pipechat_in listen' -l insecure -d 'encrypt without checking who the server is'
complete -c pipechat -n '__pipechat_in listen' -l name -x -d 'name to take first; one that is taken is refused'
complete -c pipechat -n '__pipechat_in listen' -l lang -x -a 'zh en' -d 'language of the server\'s texts (the server\'s)'
complete -c pipechat -n '__pipechat_in listen' -l timeout -x -d 'how long to listen, connecting included; 0 means no limit, but 30s for connecting (0)'
complete -c pipechat -n '__pipechat_in listen' -l reconnect -d 'connect again when the connection is lost, however often, and go on where it was'
complete -c pipechat -n '__pipechat_in listen' -l room -x -d 'room to join, instead of the lobby; may be repeated, also with lobby'
complete -c pipechat -n '__pipechat_in listen' -l since -x -d 'print first what was said since a position, such as 42.abcde, for a duration, such as 10m, or since a time'
complete -c pipechat -n '__pipechat_in listen' -l resume -r -F -d 'go on where the last listener with this file has ended: it holds the position of the last line'
complete -c pipechat -n '__pipechat_in listen' -l json -d 'print JSON, an object a line'
complete -c pipechat -n '__pipechat_in listen' -l match -x -d 'print only lines that contain this'
complete -c pipechat -n '__pipechat_in listen' -l from -x -d 'print only what is about this user'
complete -c pipechat -n '__pipechat_in listen' -l event -x -a '(__pipechat_list online offline known_as joined left topic message private)' -d 'print only these kinds: online, offline, known_as, joined, left, topic, message, private (all)'
complete -c pipechat -n '__pipechat_in listen' -l no-presence -d 'print nothing about who arrives, leaves, has a new name, or joins or leaves a room'
complete -c pipechat -n '__pipechat_in listen' -l count -x -d 'exit 0 after N lines; 0 means no limit (0)'
complete -c pipechat -n '__pipechat_in listen' -l help -d 'print help'
complete -c pipechat -n '__pipechat_in listen' -l version -d 'print the version'

complete -c pipechat -n '__pipechat_in history' -l host -x -a '(__fish_print_hostnames)' -d 'host of the server, or HOST:PORT (127.0.0.1)'
complete -c pipechat -n '__pipechat_in history' -l port -x -d 'port of the server (9999)'
complete -c pipechat -n '__pipechat_in history' -l tls -d 'encrypt the connection, and check who the server is'
complete -c pipechat -n '__pipechat_in history' -l ca -r -F -d 'trust servers whose certificate leads to one in this file (the system\'s)'
complete -c pipechat -n '__pipechat_in history' -l insecure -d 'encrypt without checking who the server is'
complete -c pipechat -n '__pipechat_in history' -l lang -x -a 'zh en' -d 'language of the server\'s texts (the server\'s)'
complete -c pipechat -n '__pipechat_in history' -l timeout -x -d 'how long the server may take to answer; 0 means no limit (30s)'
complete -c pipechat -n '__pipechat_in history' -l last -x -d 'print the last N lines, at most 1000 (20)'
complete -c pipechat -n '__pipechat_in history' -l since -x -d 'print all since a position, such as 42.abcde, for a duration, such as 10m, or since a time'
complete -c pipechat -n '__pipechat_in history' -l follow -d 'join the room, and print what is said from then on too'
complete -c pipechat -n '__pipechat_in history' -l json -d 'print JSON, an object a line'
complete -c pipechat -n '__pipechat_in history' -l help -d 'print help'
complete -c pipechat -n '__pipechat_in history' -l version -d 'print the version'

complete -c pipechat -n '__pipechat_in wait' -l host -x -a '(__fish_print_hostnames)' -d 'host of the server, or HOST:PORT (127.0.0.1)'
complete -c pipechat -n '__pipechat_in wait' -l port -x -d 'port of the server (9999)'
complete -c pipechat -n '__pipechat_in wait' -l tls -d 'encrypt the connection, and check who the server is'
complete -c pipechat -n '__pipechat_in wait' -l ca -r -F -d 'trust servers whose certificate leads to one in this file (the system\'s)'
complete -c pipechat -n '__pipechat_in wait' -l insecure -d 'encrypt without checking who the server is'
complete -c pipechat -n '__pipechat_in wait' -l lang -x -a 'zh en' -d 'language of the server\'s texts (the server\'s)'
complete -c pipechat -n '__pipechat_in wait' -l timeout -x -d 'how long to wait, connecting included; 0 means no limit (60s)'
complete -c pipechat -n '__pipechat_in wait' -l help -d 'print help'
complete -c pipechat -n '__pipechat_in wait' -l version -d 'print the version'
complete -c pipechat -n '__pipechat_in wait' -a 'user gone users text members in'

complete -c pipechat -n '__pipechat_in who' -l host -x -a '(__fish_print_hostnames)' -d 'host of the server, or HOST:PORT (127.0.0.1)'
complete -c pipechat -n '__pipechat_in who' -l port -x -d 'port of the server (9999)'
complete -c pipechat -n '__pipechat_in who' -l tls -d 'encrypt the connection, and check who the server is'
complete -c pipechat -n '__pipechat_in who' -l ca -r -F -d 'trust servers whose certificate leads to one in this file (the system\'s)'
complete -c pipechat -n '__pipechat_in who' -l insecure -d 'encrypt without checking who the server is'
complete -c pipechat -n '__pipechat_in who' -l lang -x -a 'zh en' -d 'language of the server\'s texts (the server\'s)'
complete -c pipechat -n '__pipechat_in who' -l timeout -x -d 'how long the server may take to answer; 0 means no limit (30s)'
complete -c pipechat -n '__pipechat_in who' -l json -d 'print JSON, an object a line'
complete -c pipechat -n '__pipechat_in who' -l count -d 'print only how many there are'
complete -c pipechat -n '__pipechat_in who' -l help -d 'print help'
complete -c pipechat -n '__pipechat_in who' -l version -d 'print the version'

complete -c pipechat -n '__pipechat_in chat' -l host -x -a '(__fish_print_hostnames)' -d 'host of the server, or HOST:PORT (127.0.0.1)'
complete -c pipechat -n '__pipechat_in chat' -l port -x -d 'port of the server (9999)'
complete -c pipechat -n '__pipechat_in chat' -l tls -d 'encrypt the connection, and check who the server is'
complete -c pipechat -n '__pipechat_in chat' -l ca -r -F -d 'trust servers whose certificate leads to one in this file (the system\'s)'
complete -c pipechat -n '__pipechat_in chat' -l insecure -d 'encrypt without checking who the server is'
complete -c pipechat -n '__pipechat_in chat' -l name -x -d 'name to take first; one that is taken is refused'
complete -c pipechat -n '__pipechat_in chat' -l lang -x -a 'zh en' -d 'language of the server\'s texts (the server\'s)'
complete -c pipechat -n '__pipechat_in chat' -l room -x -d 'room to join at the start'
complete -c pipechat -n '__pipechat_in chat' -l addr -d 'show addresses beside names'
complete -c pipechat -n '__pipechat_in chat' -l no-reconnect -d 'end when the connection is lost, instead of connecting again; always so in a pipe'
complete -c pipechat -n '__pipechat_in chat' -l no-history -d 'remember no lines for later sessions'
complete -c pipechat -n '__pipechat_in chat' -l help -d 'print help'
complete -c pipechat -n '__pipechat_in chat' -l version -d 'print the version'

complete -c pipechat -n '__pipechat_in account' -l store -r -F -d 'the server\'s store; add makes one where there is none'
complete -c pipechat -n '__pipechat_in account' -l lang -x -a 'zh en' -d 'language of the prompts (zh)'
complete -c pipechat -n '__pipechat_in account' -l no-password -d 'add an account that has only tokens'
complete -c pipechat -n '__pipechat_in account' -l help -d 'print help'
complete -c pipechat -n '__pipechat_in account' -l version -d 'print the version'
complete -c pipechat -n '__pipechat_in account' -a 'add passwd token role remove list'

complete -c pipechat -n '__pipechat_in cert' -l self-signed -x -d 'directory for the two files, which must not exist'
complete -c pipechat -n '__pipechat_in cert' -l name -x -d 'name or address that clients connect to; may be repeated (localhost, 127.0.0.1 and ::1)'
complete -c pipechat -n '__pipechat_in cert' -l help -d 'print help'
complete -c pipechat -n '__pipechat_in cert' -l version -d 'print the version'

complete -c pipechat -n '__pipechat_in completions' -l help -d 'print help'
complete -c pipechat -n '__pipechat_in completions' -l version -d 'print the version'
complete -c pipechat -n '__pipechat_in completions' -a 'bash zsh fish'

complete -c pipechat -n '__pipechat_in help' -a 'serve send listen history wait who chat account cert completions protocol errors rooms history store accounts scripts json client netcat options transport operating limits performance internals'
