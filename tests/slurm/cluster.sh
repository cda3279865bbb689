#!/usr/bin/env bash
# A real Slurm of two nodes on this one machine, all in one folder; nothing in /etc is touched.
#   cluster.sh start FOLDER     brings it up; then: export SLURM_CONF=FOLDER/slurm.conf
#   cluster.sh stop FOLDER      takes it down
# Wants root, and the Debian packages slurm-wlm and munge.
set -euo pipefail

command=$1
folder=$(realpath -m "$2")
export SLURM_CONF=$folder/slurm.conf

stop() {
    local file
    for file in "$folder"/slurmctld.pid "$folder"/node?.pid "$folder"/munged.pid; do
        if [ -s "$file" ]; then kill "$(cat "$file")" 2>/dev/null || true; fi
    done
}

free_ports() { # that many unused ports, one a line
    python3 -c 'import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets), sep="\n")' "$1"
}

configure() {
    mkdir -p "$folder"/{state,spool/node1,spool/node2}
    chmod 755 "$folder"
    head -c 1024 /dev/urandom >"$folder/munge.key"
    chmod 400 "$folder/munge.key"
    for gpu in 0 1; do # pretended: the scheduler only looks whether the file is a device
        mknod "$folder/gpu$gpu" c 1 3
        echo "Name=gpu File=$folder/gpu$gpu"
    done >"$folder/gres.conf"
    local host ports
    host=$(hostname -s)
    mapfile -t ports < <(free_ports 3)
    cat >"$SLURM_CONF" <<CONF
ClusterName=here
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports[0]}
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=5
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SlurmdParameters=config_overrides
GresTypes=gpu
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
ReturnToService=2
KillWait=10
SlurmdTimeout=30
NodeName=node1 NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[1]} CPUs=4 Gres=gpu:2 State=UNKNOWN
NodeName=node2 NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[2]} CPUs=4 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES PriorityTier=1 GraceTime=30
PartitionName=urgent Nodes=ALL PriorityTier=10 PreemptMode=OFF
CONF
}

start() {
    configure
    munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" \
        --seed-file="$folder/munged.seed" 2>>"$folder/munged.err"
    slurmctld -i
    slurmd -N node1
    slurmd -N node2
    for _ in $(seq 200); do
        if [ "$(sinfo -h -p main -N -o %T 2>/dev/null | grep -c idle)" -ge 2 ]; then return; fi
        sleep 0.1
    done
    echo "the nodes did not become idle:" >&2
    sinfo -N -l >&2 || true
    tail -n 5 "$folder"/*.log >&2
    stop
    exit 1
}

"$command"
